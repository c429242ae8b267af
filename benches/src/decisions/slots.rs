//! A circuit of the engine on freshly encrypted slots.

use std::sync::Arc;

use blindrelay_engine::bfv::{Answer, Context, Evaluator};
use blindrelay_engine::circuit::{Circuit, Evaluation, Operand};
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::Wire;
use blindrelay_keyholder::{Expectation, SecretKey};

use super::{Decision, KeyBytes, describe};
use crate::{Error, agree};

/// A circuit with exactly the keys of its plan, its encrypted inputs and all positions of its answer.
pub(super) struct SlotCircuit<C> {
    circuit: C,
    evaluator: Evaluator,
    keys: EvaluationKeys,
    inputs: Vec<Operand>,
    positions: Vec<u32>,
}

impl<C: Circuit + Sync> SlotCircuit<C> {
    /// Refused where the first output opens to other slots than `expected`.
    pub(super) fn new(
        context: &Arc<Context>,
        circuit: C,
        inputs: &[Vec<i64>],
        expected: &[i64],
    ) -> Result<Self, Error> {
        let plan = circuit.plan(context)?;
        let key = SecretKey::from_seed(context, Seed::from_bytes([11; 32]));
        let encrypt = |values: &Vec<i64>| -> Result<Operand, Error> {
            Ok(Operand::fresh(key.encrypt(&context.encode_slots(values)?)?.expand(context)?))
        };
        let decision = Self {
            evaluator: Evaluator::new(context),
            keys: key.planned_keys(&plan.keys),
            inputs: inputs.iter().map(encrypt).collect::<Result<_, _>>()?,
            positions: (0..context.parameters().degree() as u32).collect(),
            circuit,
        };
        let limit = context.plaintext_limit() as i64;
        let range = ValueRange { minimum: -limit, maximum: limit, step: 1 };
        let expectation = Expectation { positions: decision.positions.clone(), range };
        let coefficients = key.open_answer(&decision.answer()?, &expectation)?;
        let slots = context.decode_slots(&context.encode_coefficients(&coefficients)?)?;
        agree(&decision.circuit.name(), "blindrelay", &slots.as_slice(), &expected)?;
        Ok(decision)
    }

    fn answer(&self) -> Result<Answer, Error> {
        let outputs = self.circuit.run(&Evaluation::new(&self.evaluator, &self.keys), &self.inputs)?;
        let output = outputs.into_iter().next().ok_or(blindrelay_engine::Error::Transparent)?;
        Ok(self.evaluator.answer(output.into_plain()?, &self.positions)?)
    }
}

impl<C: Circuit + Sync> Decision for SlotCircuit<C> {
    fn evaluate(&self) -> Result<Vec<u8>, Error> {
        Ok(self.answer()?.to_bytes())
    }

    fn keys(&self) -> KeyBytes {
        KeyBytes::of(&self.keys)
    }

    fn parameters(&self) -> String {
        describe(self.evaluator.context())
    }
}
