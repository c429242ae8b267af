//! Showing approximate results to others.
//!
//! What an approximate ciphertext decrypts to carries its error, and whoever knows the inputs can compute the key from a few errors (Li and Micciancio, *On the security of
//! homomorphic encryption on approximate numbers*, EUROCRYPT 2021). A released value is therefore flooded with fresh Gaussian noise of standard deviation
//! `B sqrt(12 tau) 2^(s/2)` for `tau` releases under one key, `s` bits of statistical security and a bound `B` on the Euclidean norm of the error of all values that
//! are released together (Li, Micciancio, Schultz, Sorrell, *Securing approximate homomorphic encryption using differential privacy*, CRYPTO 2022, theorem 2), and
//! rounded to what is left of its precision. The number of releases is counted in a file beside the key before a value is computed, and a ciphertext that
//! was released before is answered with the same values, which costs nothing.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use blindrelay_engine::ckks::{Ciphertext, Context, Shape};
use blindrelay_engine::ring::{Expander, Poly, Seed};
use blindrelay_engine::wire::content_digest;
use zeroize::Zeroizing;

use crate::open::OpenError;
use crate::secret::SecretKey;

/// Releases of one key: `tau`.
pub const LIMIT: u32 = 1024;

/// Bits of statistical security of all releases together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistical {
    /// `s = 40`: flooding costs 26.8 bits of precision and 0.5 `log2` of the number of values.
    Bits40,
    /// `s = 64`: 38.8 bits.
    Bits64,
}

impl Statistical {
    const fn bits(self) -> f64 {
        match self {
            Self::Bits40 => 40.0,
            Self::Bits64 => 64.0,
        }
    }
}

/// What is released.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReleaseRequest<'a> {
    /// The slots, in the order of the result.
    pub slots: &'a [usize],
    /// How well the flooding hides the error.
    pub statistical: Statistical,
    /// The largest error that is still of use, as an absolute number.
    pub tolerance: f64,
}

/// Released values.
#[derive(Clone, Debug, PartialEq)]
pub struct Released {
    /// The values of the requested slots, flooded and rounded.
    pub values: Vec<f64>,
    /// No value is farther than this from what the slot should hold, except with probability 2^-64.
    pub error_bound: f64,
    /// How many releases the key has left.
    pub left: u32,
}

/// Why nothing is released.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// The ciphertext cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The noise that hides the error would hide the result.
    #[error(
        "releasing {values} values would leave an error of up to {error:.3e}, but only {tolerance:.3e} was asked to be tolerated: use a larger scale"
    )]
    Precision {
        /// How many values.
        values: usize,
        /// The error bound of the release.
        error: f64,
        /// What was asked for.
        tolerance: f64,
    },
    /// A slot that does not exist, or no slot.
    #[error("slot {slot} of {slots} was asked for")]
    Slot {
        /// The slot.
        slot: usize,
        /// How many there are.
        slots: usize,
    },
    /// All are spent.
    #[error("the key has made its {LIMIT} releases: begin a new epoch with a new key")]
    Spent,
    /// The file of releases cannot be read or written.
    #[error("release file {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file does not hold releases.
    #[error("{path} is not a file of releases (line {line})")]
    Format {
        /// The file.
        path: PathBuf,
        /// The first line that is not one.
        line: usize,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {reason}")]
    Randomness {
        /// What the system said.
        reason: String,
    },
}

/// Where the releases of a key file are kept.
pub fn path_of(key: &Path) -> PathBuf {
    let mut name = key.as_os_str().to_owned();
    name.push(".releases");
    PathBuf::from(name)
}

/// Standard deviations between zero and a bound on Gaussian noise: `2 exp(-10^2 / 2) < 2^-70`, so below 2^-64 for 64 values.
const TAIL: f64 = 10.0;

impl SecretKey<Context> {
    /// Releases slots of a ciphertext of real numbers that has the `expected` shape (see [`SecretKey::open`]). Spends one of the key's releases,
    /// unless this ciphertext's slots were released before.
    pub fn release(
        &self,
        key_file: &Path,
        ciphertext: &Ciphertext,
        expected: &Shape,
        request: &ReleaseRequest<'_>,
    ) -> Result<Released, ReleaseError> {
        let slots = self.context().slot_count();
        let wrong = request.slots.iter().copied().find(|&slot| slot >= slots);
        if let Some(slot) = wrong.or(request.slots.is_empty().then_some(slots)) {
            return Err(ReleaseError::Slot { slot, slots });
        }
        let count = request.slots.len() as f64;
        let error = expected.error_bound();
        let sigma = error
            * libm::sqrt(count)
            * libm::sqrt(12.0 * f64::from(LIMIT))
            * libm::exp2(request.statistical.bits() / 2.0);
        let resolution = libm::exp2(libm::floor(libm::log2(sigma)));
        let error_bound = error + TAIL * sigma + resolution / 2.0;
        if error_bound.is_nan() || error_bound > request.tolerance {
            let (values, tolerance) = (request.slots.len(), request.tolerance);
            return Err(ReleaseError::Precision { values, error: error_bound, tolerance });
        }
        let mut book = Book::open(key_file)?;
        let name = name_of(ciphertext, expected, request);
        if let Some(values) = book.find(&name) {
            return Ok(Released { values, error_bound, left: book.left() });
        }
        book.spend()?;
        let opened = self.open_checked(ciphertext, expected)?;
        let noise =
            gaussian(request.slots.len()).map_err(|error| ReleaseError::Randomness { reason: error.to_string() })?;
        let flooded = request.slots.iter().zip(noise.iter()).filter_map(|(&slot, noise)| {
            Some(libm::rint((opened.get(slot)?.re + sigma * noise) / resolution) * resolution)
        });
        let values: Vec<f64> = flooded.collect();
        book.record(&name, &values)?;
        Ok(Released { values, error_bound, left: book.left() })
    }
}

/// What the same request for the same ciphertext is recognized by.
fn name_of(ciphertext: &Ciphertext, expected: &Shape, request: &ReleaseRequest<'_>) -> String {
    let components = ciphertext.rlwe().components().iter().flat_map(Poly::residues);
    let mut bytes: Vec<u8> = components.flat_map(|residue| residue.to_le_bytes()).collect();
    let about = format!("{expected:?} {request:?}");
    bytes.extend_from_slice(about.as_bytes());
    content_digest(&bytes).iter().fold(String::new(), |mut name, byte| {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

/// Standard normal numbers (Box and Muller, 1958) from a fresh seed.
fn gaussian(count: usize) -> Result<Zeroizing<Vec<f64>>, getrandom::Error> {
    let expander = Expander::new(&Seed::random()?, "release/gaussian");
    let mut words = Zeroizing::new(vec![0_u64; 2 * count]);
    expander.stream(0).fill(&mut words);
    // In (0, 1]: the logarithm stays finite.
    let unit = |word: u64| ((word >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    let normal = |pair: &[u64]| {
        let radius = libm::sqrt(-2.0 * libm::log(pair.first().copied().map_or(1.0, unit)));
        radius * libm::cos(std::f64::consts::TAU * pair.last().copied().map_or(0.0, unit))
    };
    Ok(Zeroizing::new(words.chunks_exact(2).map(normal).collect()))
}

/// The line of a release before its values are known.
const SPENT: &str = "spent";

/// The releases of one key: a line for each that was spent, and one with the values once they are known.
struct Book {
    path: PathBuf,
    file: File,
    spent: u32,
    entries: Vec<(String, Vec<f64>)>,
}

impl Book {
    /// Opens and locks the file until the book is dropped.
    fn open(key_file: &Path) -> Result<Self, ReleaseError> {
        let path = path_of(key_file);
        let failed = |source| ReleaseError::Io { path: path.clone(), source };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let (mut spent, mut entries) = (0, Vec::new());
        // A line that a crash cut off was not answered yet: values are released anew, but what may have been spent stays spent.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let torn = text.split_off(whole);
        if !torn.is_empty() {
            file.set_len(whole as u64).map_err(failed)?;
            if SPENT.starts_with(&torn) {
                text.push_str(SPENT);
                file.seek(SeekFrom::End(0)).map_err(failed)?;
                file.write_all(format!("{SPENT}\n").as_bytes()).map_err(failed)?;
            }
            file.sync_all().map_err(failed)?;
        }
        for (index, line) in text.lines().enumerate() {
            let format = || ReleaseError::Format { path: path.clone(), line: index + 1 };
            match line.split_once(' ') {
                None if line == SPENT => spent += 1,
                Some((name, values)) => {
                    let parsed: Result<Vec<f64>, _> = values.split(' ').map(parse).collect();
                    entries.push((name.to_owned(), parsed.map_err(|()| format())?));
                }
                None => return Err(format()),
            }
        }
        Ok(Self { path, file, spent, entries })
    }

    fn find(&self, name: &str) -> Option<Vec<f64>> {
        self.entries.iter().find(|(known, _)| known == name).map(|(_, values)| values.clone())
    }

    fn left(&self) -> u32 {
        LIMIT.saturating_sub(self.spent)
    }

    /// Counts a release; it is on the disk before this returns.
    fn spend(&mut self) -> Result<(), ReleaseError> {
        if self.spent >= LIMIT {
            return Err(ReleaseError::Spent);
        }
        self.write(SPENT)?;
        self.spent += 1;
        Ok(())
    }

    fn record(&mut self, name: &str, values: &[f64]) -> Result<(), ReleaseError> {
        let words = values.iter().map(|value| format!("{:016x}", value.to_bits()));
        self.write(&std::iter::once(name.to_owned()).chain(words).collect::<Vec<_>>().join(" "))
    }

    fn write(&mut self, line: &str) -> Result<(), ReleaseError> {
        let written =
            self.file.seek(SeekFrom::End(0)).and_then(|_| self.file.write_all(format!("{line}\n").as_bytes()));
        written
            .and_then(|()| self.file.sync_all())
            .map_err(|source| ReleaseError::Io { path: self.path.clone(), source })
    }
}

fn parse(word: &str) -> Result<f64, ()> {
    u64::from_str_radix(word, 16).map(f64::from_bits).map_err(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_standard_normal() {
        let noise = gaussian(100_000).unwrap();
        let mean = noise.iter().sum::<f64>() / noise.len() as f64;
        let variance = noise.iter().map(|x| x * x).sum::<f64>() / noise.len() as f64;
        let within = noise.iter().filter(|x| x.abs() < 1.0).count() as f64 / noise.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.03 && (within - 0.6827).abs() < 0.01);
    }
}
