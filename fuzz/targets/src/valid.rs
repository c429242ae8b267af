//! Valid objects of the named sets, encrypted once, and the operators that take them.

use std::sync::{Arc, LazyLock};

use blindrelay_analytics::{Contribution, Plan, Settings, Statistics};
use blindrelay_billing::{Charging, Measurement, Meter, MeterSettings, Reading};
use blindrelay_engine::Backend;
use blindrelay_engine::bfv::Context;
use blindrelay_engine::params::{MATCH_2048, Parameters, preset};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::{KeyRequirements, SecretKey};
use blindrelay_routing::{MatchKind, Matching, Token};

use crate::{analytics, billing};

/// The settings of the panel that the contribution is for.
pub const PANEL: &str = r#"{"collect":{"attention":{"slots":2}},"minimum_contributions":1}"#;

/// `match-signs/1` with what a member sends.
pub struct Match {
    /// The operator.
    pub operator: Arc<Matching>,
    /// One token.
    pub record: Vec<u8>,
    /// A question.
    pub probe: Vec<u8>,
    /// The room's evaluation keys.
    pub keys: Vec<u8>,
}

/// A room.
pub static MATCH: LazyLock<Match> = LazyLock::new(|| {
    let kind = MatchKind::Signs;
    let parameters = Parameters::new(preset(MATCH_2048).expect("a named set"), Backend::detect()).expect("a named set");
    let context = Context::new(&parameters).expect("a set of BFV");
    let key = SecretKey::from_seed(&context, Seed::from_bytes([1; 32]));
    let token = Token::of_identity(&[9; 32], "Ada Lovelace");
    let encrypt = |plaintext| key.encrypt(&plaintext).expect("a plaintext of the set").to_bytes();
    let requirements = KeyRequirements { relinearization: true, ..KeyRequirements::default() };
    Match {
        operator: Arc::new(Matching::new(kind, &context).expect("the operator's own set")),
        record: encrypt(kind.pack_tokens(&context, std::slice::from_ref(&token)).expect("one token fits")),
        probe: encrypt(kind.pack_probe(&context, &token).expect("a token of signs")),
        keys: key.evaluation_keys(&requirements).to_bytes(),
    }
});

/// `charge/1` with what a relay sends for [`billing::CARD`].
pub struct Charge {
    /// The operator.
    pub operator: Arc<Charging>,
    /// Batches of two ciphertexts and of one.
    pub batches: Vec<Vec<u8>>,
}

/// A meter.
pub static CHARGE: LazyLock<Charge> = LazyLock::new(|| {
    let (layout, context) = (&*billing::LAYOUT, &*billing::CONTEXT);
    let public = SecretKey::from_seed(context, Seed::from_bytes([11; 32])).public_key();
    let settings = MeterSettings { age: u64::MAX, ..MeterSettings::named("relay-1") };
    let batches = |measurement| {
        let mut meter =
            Meter::new(layout, context, public.clone(), Seed::from_bytes([5; 32]), &settings).expect("a valid meter");
        let name = if matches!(measurement, Measurement::Interval { .. }) { "Call" } else { "Data" };
        let item = layout.card().find(name).expect("an item of the card");
        meter.record(&Reading { item, measurement }, 0).expect("a reading that the card admits");
        meter.flush();
        meter.batches().expect("a batch of one reading")
    };
    let (join, leave) = (1_792_000_000, 1_792_000_600);
    let all = [Measurement::Interval { join, leave }, Measurement::Quantity { at: join, amount: 77 }];
    Charge {
        operator: Arc::new(Charging::new(context).expect("the operator's own set")),
        batches: all.into_iter().flat_map(batches).map(|batch| batch.bytes).collect(),
    }
});

/// `statistics/1` with what a contributor sends for [`PANEL`].
pub struct Panel {
    /// The operator.
    pub operator: Arc<Statistics>,
    /// A contribution.
    pub contribution: Vec<u8>,
    /// A request for a report.
    pub request: Vec<u8>,
    /// What reads an answer.
    pub plan: Plan,
}

/// A panel.
pub static STATISTICS: LazyLock<Panel> = LazyLock::new(|| {
    let context = &*analytics::CONTEXT;
    let public = SecretKey::from_seed(context, Seed::from_bytes([5; 32])).public_key();
    let plan = Plan::new(&Settings::from_json(PANEL).expect("valid settings"), context).expect("a plan");
    let contribution = Contribution::attention(&plan, &[Some(0.5), None]).expect("scores in range");
    Panel {
        operator: Arc::new(Statistics::new(context).expect("the operator's own set")),
        contribution: contribution.encrypt(&plan, &public).expect("a contribution of the plan"),
        request: plan.request(&[7; 16]).expect("a request of the plan"),
        plan,
    }
});
