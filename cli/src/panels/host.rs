//! The host of a panel: the only one who opens its reports.

use std::path::Path;

use blindrelay_analytics::{Answer, Findings, Plan, Slots, card};
use blindrelay_client::{Client, Error as ClientError, Family};
use blindrelay_engine::ckks::Context;
use blindrelay_engine::operator::Handle;
use blindrelay_engine::params::{Parameters, preset};
use blindrelay_engine::wire::{self, Kind, Wire, content_digest};
use blindrelay_engine::{Backend, Error as EngineError};
use blindrelay_keyholder::{KeyFileError, KeyRequirements, SecretKey, file};

use super::{OPERATORS, PanelFailure, context_of};
use crate::failure::Failure;

/// Bytes of an answer besides its ciphertexts, which are at most so many.
const HEADER_BYTES: usize = 1 << 16;
const MOST_CIPHERTEXTS: usize = 6;

/// A host's key with the operator that it is for.
pub(crate) struct Host {
    operator: &'static str,
    key: SecretKey<Context>,
}

impl Host {
    /// By a key file, whose parameters tell the operator.
    pub(crate) fn from_file(path: &Path, backend: Backend) -> Result<Self, Failure> {
        let found = file::parameters_of(path)?;
        let mut expected = None;
        for (operator, _) in OPERATORS {
            let Some(context) = context_of(operator, backend)? else { continue };
            if context.parameters().digest() == found {
                return Ok(Self {
                    operator,
                    key: SecretKey::from_seed(&context, file::read(path, context.parameters())?),
                });
            }
            expected.get_or_insert(context.parameters().digest());
        }
        let expected = expected.unwrap_or(found);
        Err(KeyFileError::Parameters { path: path.to_owned(), found, expected }.into())
    }

    /// With a fresh key, for the first operator.
    pub(crate) fn generate(backend: Backend) -> Result<Self, Failure> {
        let [(operator, set), _] = OPERATORS;
        let context = Context::new(&Parameters::new(preset(set)?, backend)?)?;
        Ok(Self { operator, key: SecretKey::generate(&context)? })
    }

    /// The operator that adds up what is encrypted for this host.
    pub(crate) const fn operator(&self) -> &'static str {
        self.operator
    }

    /// The key.
    pub(crate) const fn key(&self) -> &SecretKey<Context> {
        &self.key
    }

    /// What the service may have of the key, as it is sent: it makes answers smaller and opens nothing.
    pub(crate) fn evaluation_keys(&self) -> Result<Vec<u8>, Failure> {
        let card = card(self.key.context())?;
        let requirements = KeyRequirements::of_card(&card, self.key.parameters());
        Ok(self.key.evaluation_keys(&requirements).to_bytes())
    }

    /// Asks for the sums of a panel and opens them. `contributions` is what the service said there are.
    pub(crate) fn findings(
        &self,
        client: &Client,
        panel: &str,
        plan: &Plan,
        contributions: u64,
    ) -> Result<(Answer, Findings), Failure> {
        if plan.context().parameters() != self.key.parameters() {
            return Err(PanelFailure::Operator { found: plan.operator().to_owned() }.into());
        }
        // Every request is another one, so that an old answer does not pass for a new one.
        let nonce = *Handle::random().map_err(EngineError::from)?.as_bytes();
        let request = plan.request(&nonce).map_err(PanelFailure::Message)?;
        let longest =
            MOST_CIPHERTEXTS * wire::max_len(Kind::ApproximateCiphertext, self.key.parameters()) + HEADER_BYTES;
        let bytes = client.report_on(Family::Panels, panel, &request, longest as u64).map_err(|error| match error {
            ClientError::Refused { code: Some(code), .. } if code == "too-few-contributions" => {
                let needed = plan.settings().minimum_contributions;
                Failure::from(PanelFailure::TooFew { found: contributions, needed })
            }
            error => error.into(),
        })?;
        let answer = Answer::from_bytes(&bytes, plan).map_err(PanelFailure::Answer)?;
        if answer.request_digest != content_digest(&request) {
            return Err(PanelFailure::OtherRequest.into());
        }
        let mut opened = Vec::with_capacity(answer.sums().len());
        for (ciphertext, shape) in answer.sums() {
            let slots = self.key.open(ciphertext, shape).map_err(PanelFailure::Closed)?;
            opened.push(Slots { values: slots.values.to_vec(), error_bound: slots.error_bound });
        }
        let findings = answer.findings(plan, &opened).map_err(PanelFailure::Answer)?;
        Ok((answer, findings))
    }
}
