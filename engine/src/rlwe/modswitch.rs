//! Modulus switching: dropping the last prime of a level.

use super::ciphertext::Ciphertext;
use crate::params::{Level, Parameters};

/// Each component divided by the level's last prime and rounded, one level lower. `None` at level 0.
pub fn drop_prime(parameters: &Parameters, ciphertext: &Ciphertext) -> Option<Ciphertext> {
    let division = parameters.at(ciphertext.level())?.drop_prime()?;
    let components = ciphertext.components().iter().map(|component| division.apply(component)).collect();
    Some(Ciphertext::new(components, Level(ciphertext.level().0.checked_sub(1)?)))
}
