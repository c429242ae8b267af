//! `load`: many members asking at once, to see what a service carries.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use blindrelay_client::Client;
use blindrelay_engine::Backend;
use blindrelay_routing::MatchKind;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::matching::{longest_answer, wrong_subject};
use crate::arguments::room_id;
use crate::failure::Failure;
use crate::member::Member;
use crate::output::Output;
use crate::service::ServiceOptions;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    service: ServiceOptions,
    /// The room's id; somebody must be enrolled in it
    #[arg(long, value_name = "ID", value_parser = room_id)]
    room: String,
    /// The room's key file, of a room for identities
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Members that ask at the same time, each over its own connection
    #[arg(long, value_name = "NUMBER", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    clients: u32,
    /// Questions of each member
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    matches: u32,
}

/// What was seen. Times in microseconds, from before a probe is sent to after its answer was read.
#[derive(Serialize)]
struct Seen {
    clients: u32,
    answered: u64,
    failed: u64,
    seconds: f64,
    answers_per_second: f64,
    median_us: u128,
    p99_us: u128,
    p999_us: u128,
    longest_us: u128,
}

/// Asks from many threads; every answer is opened and checked. Any failure makes the command fail, after the figures.
pub(crate) fn run(arguments: &Arguments, backend: Backend, output: Output) -> Result<(), Failure> {
    let room = arguments.service.client()?.room(&arguments.room)?;
    let member = Member::from_file(&arguments.key, backend)?;
    if member.kind() != MatchKind::Signs {
        return Err(wrong_subject(member.kind()));
    }
    member.recognise(&room)?;
    let asker = Asker {
        member: &member,
        room: &arguments.room,
        longest: longest_answer(member.kind(), backend, room.handles)?,
        bar: &progress(u64::from(arguments.clients) * u64::from(arguments.matches), output),
        first_failure: &Mutex::new(None),
    };
    let clients = (0..arguments.clients).map(|_| arguments.service.client()).collect::<Result<Vec<_>, _>>()?;
    let started = Instant::now();
    let mut times: Vec<Duration> = thread::scope(|scope| {
        let threads: Vec<_> =
            clients.iter().map(|client| scope.spawn(move || asker.times(client, arguments.matches))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let seconds = started.elapsed().as_secs_f64();
    asker.bar.finish_and_clear();
    times.sort_unstable();
    let all = u64::from(arguments.clients) * u64::from(arguments.matches);
    let first = asker.first_failure.lock().unwrap_or_else(PoisonError::into_inner).take();
    let seen = Seen {
        clients: arguments.clients,
        answered: times.len() as u64,
        failed: all - times.len() as u64,
        seconds,
        answers_per_second: times.len() as f64 / seconds,
        median_us: quantile(&times, 500),
        p99_us: quantile(&times, 990),
        p999_us: quantile(&times, 999),
        longest_us: quantile(&times, 1000),
    };
    output.result(&seen, || describe(&seen))?;
    if seen.failed == 0 {
        return Ok(());
    }
    Err(Failure::Load { failed: seen.failed, all, first: first.unwrap_or_else(|| "a thread ended early".to_owned()) })
}

/// What the threads share.
#[derive(Clone, Copy)]
struct Asker<'a> {
    member: &'a Member,
    room: &'a str,
    longest: u64,
    bar: &'a ProgressBar,
    /// Why the first question failed, if one did.
    first_failure: &'a Mutex<Option<String>>,
}

impl Asker<'_> {
    /// Asks `count` times over one connection; the times of those that were answered.
    fn times(&self, client: &Client, count: u32) -> Vec<Duration> {
        let mut times = Vec::with_capacity(count as usize);
        for number in 0..count {
            match self.ask(client, number) {
                Ok(time) => times.push(time),
                Err(failure) => {
                    let mut first = self.first_failure.lock().unwrap_or_else(PoisonError::into_inner);
                    first.get_or_insert_with(|| failure.to_string());
                }
            }
            self.bar.inc(1);
        }
        times
    }

    fn ask(&self, client: &Client, number: u32) -> Result<Duration, Failure> {
        let probe = self.member.probe(&self.member.token(&format!("nobody {number}")))?;
        let started = Instant::now();
        let answer = client.matching(self.room, &probe.bytes, self.longest)?;
        let time = started.elapsed();
        self.member.open(&probe, &answer)?;
        Ok(time)
    }
}

/// The smallest time that so many of a thousand do not exceed, in microseconds.
fn quantile(sorted: &[Duration], thousandths: usize) -> u128 {
    let rank = (sorted.len() * thousandths).div_ceil(1000).saturating_sub(1);
    sorted.get(rank).map_or(0, Duration::as_micros)
}

fn progress(all: u64, output: Output) -> ProgressBar {
    if output.json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(all);
    match ProgressStyle::with_template("{bar:40} {pos}/{len} answered, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn describe(seen: &Seen) -> String {
    format!(
        "{} clients, {} answers in {:.1} s ({:.0} a second), {} failed\nmedian {} us, 99 % {} us, 99.9 % {} us, longest {} us",
        seen.clients,
        seen.answered,
        seen.seconds,
        seen.answers_per_second,
        seen.failed,
        seen.median_us,
        seen.p99_us,
        seen.p999_us,
        seen.longest_us
    )
}
