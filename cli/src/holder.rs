//! Those to whom keys belong besides the members of rooms: tenants, who open invoices, and hosts, who open reports.

use std::path::Path;
use std::sync::Arc;

use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::ckks;
use blindrelay_engine::params::{BILL_8192, Parameters, STATS_8192, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::public_key_to_bytes;
use blindrelay_keyholder::{SchemeContext, SecretKey, file};

use crate::failure::Failure;

/// Whose key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// A tenant, whose usage is charged.
    Tenant,
    /// The host of a meeting, for whom statistics are made.
    Host,
}

impl Holder {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Tenant, Self::Host];

    /// The parameter set of its keys.
    pub(crate) const fn parameter_set(self) -> &'static str {
        match self {
            Self::Tenant => BILL_8192,
            Self::Host => STATS_8192,
        }
    }

    /// Who it is.
    pub(crate) const fn owner(self) -> &'static str {
        match self {
            Self::Tenant => "a tenant",
            Self::Host => "a host",
        }
    }

    /// What its keys are for.
    pub(crate) const fn purpose(self) -> &'static str {
        match self {
            Self::Tenant => "a tenant's invoices",
            Self::Host => "a host's reports",
        }
    }

    /// The parameters.
    pub(crate) fn parameters(self, backend: Backend) -> Result<Parameters, Failure> {
        Ok(Parameters::new(preset(self.parameter_set())?, backend)?)
    }

    /// The public key that belongs to a secret, as it is handed out.
    pub(crate) fn public_key(self, seed: Seed, parameters: &Parameters) -> Result<Vec<u8>, Failure> {
        Ok(match self {
            Self::Tenant => public_key_of(&SecretKey::from_seed(&Context::new(parameters)?, seed)),
            Self::Host => public_key_of(&SecretKey::from_seed(&ckks::Context::new(parameters)?, seed)),
        })
    }
}

/// The public key of a secret key, as it is handed out.
pub(crate) fn public_key_of<C: SchemeContext>(key: &SecretKey<C>) -> Vec<u8> {
    public_key_to_bytes(&key.public_key(), key.parameters())
}

/// The tables of charges.
pub(crate) fn billing_context(backend: Backend) -> Result<Arc<Context>, Failure> {
    Ok(Context::new(&Holder::Tenant.parameters(backend)?)?)
}

/// A tenant's key from its file.
pub(crate) fn tenant_key(path: &Path, context: &Arc<Context>) -> Result<SecretKey, Failure> {
    Ok(SecretKey::from_seed(context, file::read(path, context.parameters())?))
}
