//! A relay's batch of 8,192 usage lines, and their charge and total under encrypted and under public rates.

use super::{Ours, Recorder, Theirs, call};
use crate::Error;
use crate::charge::{Prices, Tenant};
use crate::peer::{self, charge::PeerTenant};
use crate::report::Goal;

/// 8,192 lines at 8,000,000 a second.
const BATCH_GOAL: f64 = 1024.0;

pub(super) fn charge(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    for (prices, subject, goal) in [
        (Prices::Encrypted, "charge of 8,192 lines and total, encrypted rates", 6000.0),
        (Prices::Public, "charge of 8,192 lines and total, public rates", 600.0),
    ] {
        let ours = Tenant::new(prices, recorder.options.backend)?;
        let theirs = PeerTenant::new(ours.plaintext_modulus(), ours.clear())?;
        let peer =
            |way: &str, call| Theirs { name: format!("{}, {way}", peer::NAME), parameters: theirs.parameters(), call };
        let peers = match prices {
            Prices::Encrypted => {
                vec![peer("slots", call(|| theirs.charge())), peer("our layout", call(|| theirs.charge_packed()))]
            }
            Prices::Public => vec![
                peer("slots", call(|| theirs.charge_public())),
                peer("our layout", call(|| theirs.charge_public_packed())),
            ],
        };
        let parameters = ours.parameters();
        recorder.compare(
            Ours {
                subject,
                parameters: &parameters,
                goal: Some(Goal::AtMost(goal)),
                bytes: None,
                call: call(|| ours.charge()),
            },
            peers,
        );
        if prices == Prices::Public {
            let report = ours.report()?;
            recorder.compare(
                Ours {
                    subject: "report of a month, sums to bytes",
                    parameters: &parameters,
                    goal: None,
                    bytes: Some(report.len()),
                    call: call(|| ours.report()),
                },
                Vec::new(),
            );
        }
    }
    Ok(())
}

pub(super) fn meter(recorder: &mut Recorder<'_>) -> Result<(), Error> {
    let ours = Tenant::new(Prices::Public, recorder.options.backend)?;
    let theirs = PeerTenant::new(ours.plaintext_modulus(), ours.clear())?;
    let mut meter = ours.meter()?;
    let bytes = ours.batch(&mut meter)?.bytes.len();
    recorder.compare(
        Ours {
            subject: "meter: 8,192 readings to batch bytes",
            parameters: &ours.parameters(),
            goal: Some(Goal::AtMost(BATCH_GOAL)),
            bytes: Some(bytes),
            call: call(|| ours.batch(&mut meter)),
        },
        vec![Theirs {
            name: format!("{}, slots to bytes", peer::NAME),
            parameters: theirs.parameters(),
            call: call(|| theirs.batch()),
        }],
    );
    Ok(())
}
