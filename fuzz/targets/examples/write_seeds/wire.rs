//! One object of every kind under every small set, as it stands and without magic, version and digest.

use std::error::Error;

use blindrelay_engine::params::Level;
use blindrelay_engine::wire::{HEADER_BYTES, Wire, public_key_to_bytes};
use blindrelay_fuzz_targets::sets::{SMALL, Tables};

use crate::{Seed, objects};

pub(crate) fn seeds() -> Result<Vec<Seed>, Box<dyn Error>> {
    let mut seeds = Vec::new();
    for (choice, backends) in (0..).zip(SMALL.iter()) {
        for (name, object) in objects(&backends[0])? {
            let headed = [&[choice | 4, object[5], object[6], object[7]], &object[HEADER_BYTES..]].concat();
            seeds.push((format!("{choice}-{name}"), [&[choice], object.as_slice()].concat()));
            seeds.push((format!("{choice}-{name}-headed"), headed));
        }
    }
    Ok(seeds)
}

/// An object's name and bytes.
type Named = (&'static str, Vec<u8>);

fn objects(tables: &Tables) -> Result<Vec<Named>, Box<dyn Error>> {
    let parameters = tables.parameters();
    let elements = [3, 2 * parameters.degree() as u32 - 1];
    let keys = objects::evaluation_keys(parameters, true, &elements, 6).ok_or("the keys are refused")?;
    let mut all = vec![
        ("public-key", public_key_to_bytes(&objects::public_key(parameters, 5), parameters)),
        ("evaluation-keys", keys.to_bytes()),
        ("message", objects::message(parameters).to_bytes()?),
    ];
    match tables {
        Tables::Bfv(context) => {
            all.push(("seeded-ciphertext", objects::seeded_ciphertext(context, 1).to_bytes()));
            all.push(("ciphertext", objects::ciphertext(context, 3, parameters.top_level(), 2)?.to_bytes()));
            all.push(("levelled", objects::levelled(context, Level(0), 10)?.to_bytes()));
            for (name, positions) in [("answer", vec![1, 5, 31]), ("answer-of-many", (0..9).collect())] {
                all.extend(objects::answer(parameters, positions, 2, 9).map(|answer| (name, answer.to_bytes())));
            }
        }
        Tables::Ckks(context) => {
            all.push(("seeded-approximate", objects::seeded_approximate(context, 1)?.to_bytes()));
            all.push(("approximate", objects::approximate(context, 3, Level(1), 2)?.to_bytes()));
        }
    }
    Ok(all)
}
