//! Answers computed again: whether a service that signed a receipt computed what it says, bit for bit.

mod sample;
mod source;
mod verdict;

use std::sync::Arc;

use blindrelay_client::Client;
use blindrelay_engine::operator::{Accumulation, OperatorCard, OperatorError, Snapshot};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::Wire;
use blindrelay_server::Registry;
use blindrelay_server::family::Family;
use blindrelay_trust::{
    CollectionKind, CollectionState, ContentDigest, KeyHistory, NoiseClaim, Receipt, SignedReceipt,
};

use crate::failure::Failure;

pub(crate) use sample::{SampleSeed, Share};
use verdict::Ended;
pub(crate) use verdict::{Finding, Verdict};

/// The version that the service's software has if it is this program's.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What answers are computed from.
enum Computation {
    Records(Arc<dyn Snapshot>),
    Sums { operator: Arc<dyn Accumulation>, settings: String, sums: Vec<u8> },
}

impl Computation {
    fn answer(&self, request: &[u8], keys: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError> {
        match self {
            Self::Records(snapshot) => snapshot.evaluate(request, keys),
            Self::Sums { operator, settings, sums } => operator.restore(settings, sums)?.report(request, keys),
        }
    }
}

/// Computes answers again with this program's own operators. Of keys and of what answers are computed from it keeps the last ones, since receipts that follow each other share them.
pub(crate) struct Auditor<'a> {
    client: &'a Client,
    history: KeyHistory,
    registry: Registry,
    keys: Option<(ContentDigest, Arc<EvaluationKeys>)>,
    computation: Option<(CollectionState, Computation)>,
}

impl<'a> Auditor<'a> {
    /// An auditor who checks signatures against these keys.
    pub(crate) fn new(client: &'a Client, history: KeyHistory, registry: Registry) -> Self {
        Self { client, history, registry, keys: None, computation: None }
    }

    /// What a receipt is worth. Fails only where the service cannot be asked at all.
    pub(crate) fn audit(&mut self, signed: &SignedReceipt) -> Result<Verdict, Failure> {
        match self.follow(signed) {
            Ok(()) => Ok(Verdict::BitExact),
            Err(Ended::Verdict(verdict)) => Ok(verdict),
            Err(Ended::Failure(failure)) => Err(failure),
        }
    }

    fn follow(&mut self, signed: &SignedReceipt) -> Result<(), Ended> {
        signed.verify(&self.history).map_err(|error| Verdict::differs("signature", &error))?;
        let (receipt, id) = (signed.receipt(), signed.id().to_string());
        let (card, parameters) = self.operator(receipt)?;
        let (limit, parameters) = (card.request_limit as u64, parameters.clone());
        check_noise(receipt, card)?;
        let request = source::part("request", self.client.receipt_request(&id, limit))?;
        receipt.matches_request(&request).map_err(|error| Verdict::differs("request", &error))?;
        let keys = match receipt.evaluation_keys {
            Some(digest) => Some(self.keys(&id, digest, &parameters)?),
            None => None,
        };
        let again = self.computation.as_ref().is_some_and(|(state, _)| *state == receipt.collection);
        if !again {
            self.computation = None;
            let made = source::computation(self.client, &self.registry, &id, receipt)?;
            self.computation = Some((receipt.collection, made));
        }
        let Some((_, computation)) = &self.computation else {
            return Err(Verdict::unavailable("content", &"it was not kept").into());
        };
        let refused =
            |error: OperatorError| Verdict::differs("answer", &format!("the operator refuses to compute it: {error}"));
        let answer = computation.answer(&request, keys.as_deref()).map_err(refused)?;
        receipt.matches_answer(&answer).map_err(|error| Verdict::differs("answer", &error))?;
        Ok(())
    }

    /// Card and parameters of this program's operator, if it computes what the receipt names.
    fn operator(&self, receipt: &Receipt) -> Result<(&OperatorCard, &Parameters), Ended> {
        let id = receipt.operator.as_str();
        let family = match receipt.collection.kind {
            CollectionKind::Room => None,
            CollectionKind::Meter => Some(Family::Meters),
            CollectionKind::Panel => Some(Family::Panels),
        };
        let found = match family {
            None => self
                .registry
                .operator(id)
                .map(|operator| (operator.card(), operator.parameters(), operator.has_secret())),
            Some(family) => self
                .registry
                .accumulation(id)
                .filter(|(belongs, _)| *belongs == family)
                .map(|(_, operator)| (operator.card(), operator.parameters(), false)),
        };
        let Some((card, parameters, secret)) = found else {
            let why = format!("this program has no operator {id} for a {}", receipt.collection.kind.name());
            return Err(Verdict::NotReexecutable { reason: why }.into());
        };
        if parameters.digest() != receipt.parameters {
            let (ours, theirs) = (parameters.digest(), receipt.parameters);
            let why = format!("this program computes {id} with parameters {ours}, the receipt names {theirs}");
            return Err(Verdict::NotReexecutable { reason: why }.into());
        }
        if secret {
            let why = format!("{id} masks its answers with a secret that stays with the service");
            return Err(Verdict::NotReexecutable { reason: why }.into());
        }
        Ok((card, parameters))
    }

    fn keys(&mut self, id: &str, digest: ContentDigest, parameters: &Parameters) -> Result<Arc<EvaluationKeys>, Ended> {
        const PART: &str = "evaluation keys";
        if let Some((_, keys)) = self.keys.as_ref().filter(|(known, _)| *known == digest) {
            return Ok(Arc::clone(keys));
        }
        let bytes = source::part(PART, self.client.receipt_keys(id, source::LONGEST))?;
        source::same(PART, digest, &bytes)?;
        let decoded = EvaluationKeys::from_bytes(&bytes, parameters);
        let keys = Arc::new(decoded.map_err(|error| Verdict::differs(PART, &error))?);
        self.keys = Some((digest, Arc::clone(&keys)));
        Ok(keys)
    }
}

/// The noise that a service of this version claims is that of the operator's card.
fn check_noise(receipt: &Receipt, card: &OperatorCard) -> Result<(), Ended> {
    let ours = NoiseClaim::new(card.noise.answer_bound_log2, card.noise.answer_limit_log2).ok();
    if receipt.software.as_str() == VERSION && ours != Some(receipt.noise) {
        let (bound, limit) = (card.noise.answer_bound_log2, card.noise.answer_limit_log2);
        let fault = format!(
            "the receipt claims at most 2^{} of 2^{}, the operator has 2^{bound} of 2^{limit}",
            receipt.noise.bound_log2(),
            receipt.noise.limit_log2()
        );
        return Err(Verdict::differs("noise", &fault).into());
    }
    Ok(())
}
