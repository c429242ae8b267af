//! The negacyclic transform against `tfhe-ntt` (which chooses its own instructions) and `concrete-ntt` (stable Rust: AVX2).

use blindrelay_kernels::{Backend, Buffer, LimbArithmetic, Modulus, NttPlan, ntt_primes_below};

use super::{Ours, Recorder, Theirs, call};
use crate::random::SplitMix64;
use crate::report::Goal;
use crate::{Error, agree};

const BITS: u32 = 41;
const SIZES: [usize; 4] = [4096, 8192, 16_384, 32_768];

pub(super) fn transforms(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    for n in SIZES {
        measure(recorder, recorder.options.backend, n)?;
    }
    if recorder.options.backend != Backend::Scalar {
        measure(recorder, Backend::Scalar, 4096)?;
    }
    Ok(())
}

fn measure(recorder: &mut Recorder<'_>, backend: Backend, n: usize) -> Result<(), Error> {
    let modulus = Modulus::new(ntt_primes_below(BITS, 2 * n as u64, 1)?.first().copied().unwrap_or_default())?;
    let p = modulus.value();
    let ours = NttPlan::new(modulus, n, backend)?;
    let absent = |peer| Error::PeerTransform { peer, n, modulus: p };
    let tfhe = tfhe_ntt::prime64::Plan::try_new(n, p).ok_or_else(|| absent("tfhe-ntt"))?;
    let concrete = concrete_ntt::prime64::Plan::try_new(n, p).ok_or_else(|| absent("concrete-ntt"))?;

    let mut random = SplitMix64::new(1);
    let (a, b) = (random.residues(p, n), random.residues(p, n));
    let own = product(&ours, &a, &b);
    let transformed = |forward: &dyn Fn(&mut [u64])| {
        let (mut a, mut b) = (a.clone(), b.clone());
        forward(&mut a);
        forward(&mut b);
        (a, b)
    };
    let (mut x, y) = transformed(&|values| tfhe.fwd(values));
    tfhe.mul_assign_normalize(&mut x, &y);
    tfhe.inv(&mut x);
    agree("negacyclic product", "tfhe-ntt", &x, &own)?;
    let (mut x, y) = transformed(&|values| concrete.fwd(values));
    concrete.mul_assign_normalize(&mut x, &y);
    concrete.inv(&mut x);
    agree("negacyclic product", "concrete-ntt", &x, &own)?;

    let parameters = format!("N={n} q={BITS} bits");
    // The goal is set against the IFMA transform of tfhe-ntt; our scalar transform has to keep up with concrete-ntt.
    let (tfhe_goal, concrete_goal) = match backend {
        Backend::Scalar => (None, Some(Goal::PartOfPeer(1.0))),
        _ => (Some(Goal::PartOfPeer(0.7)), None),
    };
    for forward in [true, false] {
        let subject = format!("NTT {}, {}", if forward { "forward" } else { "inverse" }, backend.name());
        for (peer, goal) in [("tfhe-ntt 0.7", tfhe_goal), ("concrete-ntt 0.2", concrete_goal)] {
            // On cache-line boundaries for both sides: off them, vector loads are up to 1.4 times slower.
            let (mut own, mut other) = (Buffer::from_slice(&a), Buffer::from_slice(&a));
            let (ours, tfhe, concrete) = (&ours, &tfhe, &concrete);
            recorder.compare(
                Ours {
                    subject: &subject,
                    parameters: &parameters,
                    goal,
                    bytes: None,
                    call: call(move || if forward { ours.forward(&mut own) } else { ours.inverse(&mut own) }),
                },
                vec![Theirs {
                    name: peer.to_owned(),
                    parameters: "same prime; its inverse leaves the division by N to the caller, ours includes it"
                        .to_owned(),
                    call: match (peer == "tfhe-ntt 0.7", forward) {
                        (true, true) => call(move || tfhe.fwd(&mut other)),
                        (true, false) => call(move || tfhe.inv(&mut other)),
                        (false, true) => call(move || concrete.fwd(&mut other)),
                        (false, false) => call(move || concrete.inv(&mut other)),
                    },
                }],
            );
        }
    }
    Ok(())
}

fn product(plan: &NttPlan, a: &[u64], b: &[u64]) -> Vec<u64> {
    let (mut x, mut y) = (a.to_vec(), b.to_vec());
    plan.forward(&mut x);
    plan.forward(&mut y);
    LimbArithmetic::new(plan.modulus(), plan.backend()).mul_assign(&mut x, &y);
    plan.inverse(&mut x);
    x
}
