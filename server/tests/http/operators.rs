//! Operators that do what a test needs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use blindrelay_engine::Backend;
use blindrelay_engine::operator::{
    Collection, Handle, KeyNeed, NoiseCard, Operator, OperatorCard, OperatorError, Placement, Resource, Snapshot,
    ValueRange,
};
use blindrelay_engine::params::{MATCH_2048, Parameters, preset};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::content_digest;

/// Something that stays closed until the test opens it, and knows how many have come.
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
    arrived: AtomicUsize,
}

impl Gate {
    pub(crate) fn pass(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        let mut open = self.open.lock().unwrap();
        while !*open {
            open = self.opened.wait(open).unwrap();
        }
    }

    pub(crate) fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    pub(crate) async fn arrivals(&self, count: usize) {
        while self.arrived.load(Ordering::SeqCst) < count {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

/// What happens when a request is evaluated.
#[derive(Clone)]
pub(crate) enum Evaluation {
    Echo,
    Panic,
    Wait(Arc<Gate>),
}

pub(crate) fn match_2048() -> Parameters {
    Parameters::new(preset(MATCH_2048).unwrap(), Backend::Scalar).unwrap()
}

/// The card of an operator that needs nothing.
pub(crate) fn card(id: &str, resource: Resource, parameters: &Parameters) -> OperatorCard {
    let range = ValueRange { minimum: 0, maximum: 0, step: 1 };
    let noise = NoiseCard { bound_log2: 0.0, limit_log2: 1.0, answer_bound_log2: 0.0, answer_limit_log2: 1.0 };
    OperatorCard {
        id: id.to_owned(),
        summary: "for tests".to_owned(),
        resource,
        parameters: parameters.name().to_owned(),
        parameter_digest: parameters.digest().to_string(),
        depth: 0,
        relinearization: KeyNeed::None,
        galois_elements: Vec::new(),
        entries: 1,
        entry_range: range,
        values_per_record: 4,
        result_range: range,
        output_layout: "the request".to_owned(),
        record_limit: 100_000,
        request_limit: 100_000,
        noise,
        error_bound: None,
        failure_log2: -128.0,
    }
}

/// An operator at `match-2048` whose records are only counted.
pub(crate) struct Scripted {
    card: OperatorCard,
    parameters: Parameters,
    evaluation: Evaluation,
    /// The append, counted from 1 over all collections, that panics.
    panicking_append: usize,
    appends: Arc<AtomicUsize>,
}

impl Scripted {
    pub(crate) fn new(id: &str, evaluation: Evaluation) -> Self {
        let parameters = match_2048();
        let card = card(id, Resource::Rooms, &parameters);
        Self { card, parameters, evaluation, panicking_append: 0, appends: Arc::default() }
    }

    pub(crate) fn needing(mut self, relinearization: KeyNeed, galois_elements: Vec<u32>) -> Self {
        self.card.relinearization = relinearization;
        self.card.galois_elements = galois_elements;
        self
    }

    pub(crate) fn panicking_at(mut self, append: usize) -> Self {
        self.panicking_append = append;
        self
    }
}

impl Operator for Scripted {
    fn card(&self) -> &OperatorCard {
        &self.card
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn new_collection(&self) -> Box<dyn Collection> {
        let evaluation = self.evaluation.clone();
        let (panicking_append, appends) = (self.panicking_append, Arc::clone(&self.appends));
        Box::new(Counted { handles: Vec::new(), evaluation, panicking_append, appends })
    }
}

struct Counted {
    handles: Vec<Handle>,
    evaluation: Evaluation,
    panicking_append: usize,
    appends: Arc<AtomicUsize>,
}

impl Collection for Counted {
    fn append(&mut self, _record: &[u8], handles: &[Handle]) -> Result<Placement, OperatorError> {
        let append = 1 + self.appends.fetch_add(1, Ordering::SeqCst);
        let placement = Placement::new(0, self.handles.len()).unwrap();
        self.handles.extend(handles);
        assert!(append != self.panicking_append, "this append panics on purpose");
        Ok(placement)
    }

    fn restore(&mut self, record: &[u8], handles: &[Handle], _placement: Placement) -> Result<(), OperatorError> {
        self.append(record, handles).map(drop)
    }

    fn remove(&mut self, handle: Handle) -> Result<(), OperatorError> {
        let place = self.handles.iter().position(|&known| known == handle);
        let place = place.ok_or(OperatorError::UnknownHandle { handle })?;
        self.handles.remove(place);
        Ok(())
    }

    fn handles(&self) -> Vec<Handle> {
        self.handles.clone()
    }

    fn byte_len(&self) -> usize {
        0
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(Frozen { handles: self.handles.clone(), evaluation: self.evaluation.clone() })
    }
}

struct Frozen {
    handles: Vec<Handle>,
    evaluation: Evaluation,
}

impl Snapshot for Frozen {
    /// The handles of the snapshot, one after the other.
    fn evaluate(&self, _request: &[u8], _keys: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError> {
        match &self.evaluation {
            Evaluation::Echo => {}
            Evaluation::Panic => panic!("this evaluation panics on purpose"),
            Evaluation::Wait(gate) => gate.pass(),
        }
        Ok(self.handles.iter().flat_map(|handle| *handle.as_bytes()).collect())
    }

    fn digest(&self) -> [u8; 32] {
        content_digest(&self.handles.iter().flat_map(|handle| *handle.as_bytes()).collect::<Vec<u8>>())
    }
}
