//! General products with relinearization, and rotations, at N = 8192.

use super::{Ours, Recorder, Theirs, call};
use crate::Error;
use crate::factors::{Factors, PeerFactors};
use crate::peer;
use crate::report::Goal;

pub(super) fn products(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    let (ours, theirs) = (Factors::new(recorder.options.backend)?, PeerFactors::new()?);
    let parameters = ours.parameters();
    let side = |subject, goal, call| Ours {
        subject,
        parameters: &parameters,
        goal: Some(Goal::AtMost(goal)),
        bytes: None,
        call,
    };
    let other = |call| vec![Theirs { name: peer::NAME.to_owned(), parameters: theirs.parameters(), call }];
    recorder
        .compare(side("BFV multiply + relinearize", 2200.0, call(|| ours.product())), other(call(|| theirs.product())));
    recorder.compare(side("BFV rotate rows", 600.0, call(|| ours.rotated())), other(call(|| theirs.rotated())));
    Ok(())
}
