//! Jobs: what takes longer than a request may.

use std::time::Duration;

use blindrelay_engine::operator::Handle;
use serde::{Deserialize, Serialize};
use ureq::http::Method;

use crate::exchange::{Expected, Payload, Request};
use crate::receipts::Receipted;
use crate::{Client, Error, Family, UnixMillis, names};

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum JobState {
    /// Nobody has worked on it.
    Waiting,
    /// Somebody works on it, or did.
    Running,
    /// Every part is answered or refused.
    Finished,
}

/// What the service says of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Job {
    /// 32 hexadecimal digits.
    #[serde(rename = "job")]
    pub id: String,
    /// What it computes: `match`, `meter-reports` or `panel-reports`.
    pub work: String,
    /// How far it is.
    pub state: JobState,
    /// Whether each answer comes with a receipt.
    pub receipts: bool,
    /// How many answers there will be at most.
    pub parts: u64,
    /// How many there are.
    pub answered: u64,
    /// How many there will never be.
    pub refused: u64,
    /// When it was made.
    pub created: UnixMillis,
    /// When somebody first worked on it.
    pub begun: Option<UnixMillis>,
    /// When its last part was answered or refused.
    pub finished: Option<UnixMillis>,
    /// Seconds after which to look again.
    pub retry_after: Option<u64>,
}

/// Why a part of a job has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PartProblem {
    /// What programs look at, such as `unknown-meter`.
    pub code: String,
    /// What people read.
    pub detail: String,
}

/// What became of a part of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct JobPart {
    /// The number of its answer.
    pub answer: u64,
    /// The room, meter or panel that it is about.
    pub subject: String,
    /// Length of the answer, where there is one.
    pub bytes: Option<u64>,
    /// Why there will be none.
    pub problem: Option<PartProblem>,
}

#[derive(Deserialize)]
struct PartPage {
    answers: Vec<JobPart>,
    next: Option<String>,
}

/// How a job is made.
#[derive(Clone, Copy, Debug)]
pub struct NewJob<'a> {
    /// What is asked, a request of the operator; may be empty where a report needs none.
    pub request: &'a [u8],
    /// Whether each answer is to come with a receipt.
    pub receipts: bool,
    /// 1 to 64 characters of `A-Z a-z 0-9 . _ -`; the same request under the same name makes one job.
    pub idempotency: &'a str,
}

impl Client {
    /// Reports on all ledgers of a family that have this operator, such as `charge/1`.
    pub fn start_reports(&self, family: Family, operator: &str, job: NewJob<'_>) -> Result<Job, Error> {
        let path = format!("/v1/{}/jobs?operator={}", family.plural(), names::operator(operator)?);
        self.start(path, job)
    }

    /// Asks a room.
    pub fn start_match(&self, room: &str, job: NewJob<'_>) -> Result<Job, Error> {
        self.start(format!("/v1/rooms/{}/match/jobs", names::id(room)?), job)
    }

    fn start(&self, path: String, job: NewJob<'_>) -> Result<Job, Error> {
        let request = Request::new(Method::POST, path).payload(Payload::Bytes(job.request));
        let request = request.named(names::idempotency(job.idempotency)?);
        let job: Job = self.json(&Request { receipts: job.receipts, ..request })?;
        match job.id.parse::<Handle>() {
            Ok(_) => Ok(job),
            Err(_) => Err(self.unexpected("the new job's id is not 32 hexadecimal digits")),
        }
    }

    /// Looks at a job.
    pub fn job(&self, id: &str) -> Result<Job, Error> {
        self.json(&Request::new(Method::GET, format!("/v1/jobs/{}", names::id(id)?)))
    }

    /// Looks at a job as often as the service asks for, until it is finished; `watch` is told every time.
    pub fn await_job(&self, id: &str, mut watch: impl FnMut(&Job)) -> Result<Job, Error> {
        loop {
            let job = self.job(id)?;
            watch(&job);
            if job.state == JobState::Finished {
                return Ok(job);
            }
            self.pause(Duration::from_secs(job.retry_after.unwrap_or(1).clamp(1, 60)));
        }
    }

    /// All jobs that the key may see, in ascending order of their ids.
    pub fn jobs(&self) -> Result<Vec<Job>, Error> {
        self.list_sparse("/v1/jobs?limit=1000", |id| names::id(id).is_ok())
    }

    /// What became of all parts of a job, by number.
    pub fn job_parts(&self, id: &str) -> Result<Vec<JobPart>, Error> {
        let path = format!("/v1/jobs/{}/answers?limit=1000", names::id(id)?);
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page: PartPage = self.json(&Request::new(Method::GET, format!("{path}{after}")))?;
            let expected = all.len() as u64..;
            if !page.answers.iter().zip(expected).all(|(part, number)| part.answer == number) {
                return Err(self.unexpected("the answers of a job are not numbered one after the other"));
            }
            let last = page.answers.last().map(|part| part.answer.to_string());
            all.extend(page.answers);
            match page.next {
                None => return Ok(all),
                Some(next) if last.as_ref() == Some(&next) => after = format!("&after={next}"),
                Some(_) => return Err(self.unexpected("its list does not end")),
            }
        }
    }

    /// An answer of a job that was made without receipts; at most `longest` bytes of it are read.
    pub fn job_answer(&self, id: &str, number: u64, longest: u64) -> Result<Vec<u8>, Error> {
        let request = Request::new(Method::GET, format!("/v1/jobs/{}/answers/{number}", names::id(id)?));
        self.perform(&request.expecting(Expected::Bytes(longest)))
    }

    /// The same of one with receipts. Neither receipt nor answer is checked here.
    pub fn job_answer_with_receipt(&self, id: &str, number: u64, longest: u64) -> Result<Receipted, Error> {
        let request = Request::new(Method::GET, format!("/v1/jobs/{}/answers/{number}", names::id(id)?));
        let body = self.perform(&request.expecting(Expected::Receipted(longest)))?;
        Receipted::split(&body).ok_or_else(|| self.unexpected("there is no receipt before its answer"))
    }

    /// Removes a job with its answers; one that is not finished ends.
    pub fn remove_job(&self, id: &str) -> Result<(), Error> {
        let request = Request::new(Method::DELETE, format!("/v1/jobs/{}", names::id(id)?));
        self.perform(&request.expecting(Expected::Nothing)).map(drop)
    }
}
