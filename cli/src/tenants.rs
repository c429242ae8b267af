//! Tenants: what they may be called, and the folder with their keys.

use std::path::{Path, PathBuf};

use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::PublicKey;
use blindrelay_engine::wire::public_key_from_bytes;

use crate::failure::Failure;

/// Longest name: that of a meter.
const MAX_NAME_BYTES: usize = 64;
pub(crate) const NAME_ADVICE: &str = "call tenants by 1 to 64 letters, digits, - _ and ., beginning with a letter or digit: their files have the same names";

/// Whether a text may name a tenant. Files are called like tenants, so that no name may lead out of a folder.
pub(crate) fn is_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    name.len() <= MAX_NAME_BYTES
        && name.bytes().all(legal)
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

/// A folder with `TENANT.pub` and, where invoices are opened, `TENANT.key`.
#[derive(Clone, Debug)]
pub(crate) struct KeyFolder(PathBuf);

impl KeyFolder {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where the public key of a tenant is.
    pub(crate) fn public_key_path(&self, tenant: &str) -> PathBuf {
        self.0.join(format!("{tenant}.pub"))
    }

    /// Where the secret key of a tenant is.
    pub(crate) fn secret_key_path(&self, tenant: &str) -> PathBuf {
        self.0.join(format!("{tenant}.key"))
    }

    /// The public key of a tenant, as bytes and decoded.
    pub(crate) fn public_key(&self, tenant: &str, parameters: &Parameters) -> Result<(Vec<u8>, PublicKey), Failure> {
        let path = self.public_key_path(tenant);
        let bytes = std::fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => Failure::Usage {
                what: format!("tenant {tenant} has no public key: {} is not there", path.display()),
                advice: "get the tenant's public key (`blindrelay public-key`), or correct the tenant's name",
            },
            _ => Failure::Read { path: path.clone(), source },
        })?;
        match public_key_from_bytes(&bytes, parameters) {
            Ok(key) => Ok((bytes, key)),
            Err(error) => Err(Failure::Content {
                path,
                fault: error.to_string(),
                advice: "get the public key again: it is made with `blindrelay keygen --for billing --public FILE`",
            }),
        }
    }

    /// Every tenant with a public key in the folder, in ascending order.
    pub(crate) fn tenants(&self) -> Result<Vec<String>, Failure> {
        let read = |source| Failure::Read { path: self.0.clone(), source };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.0).map_err(read)? {
            let file = entry.map_err(read)?.file_name();
            let name = file.to_str().and_then(|name| name.strip_suffix(".pub")).filter(|name| is_name(name));
            names.extend(name.map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_in_their_folder() {
        for name in ["t0001", "acme.example", "A-b_c"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".", "..", "../a", "a/b", "a\\b", "-a", ".hidden", "a b", "é", &"a".repeat(65)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
