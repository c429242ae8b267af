//! A PostgreSQL server of its own in a temporary folder, reached through a socket in it, that can be stopped and started again.
//!
//! It runs where the machine has the programs (Debian: `postgresql`). Where it has not, callers are told, unless `TEST_POSTGRES=required`: then it is a failure.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// A server.
#[derive(Debug)]
pub struct Server {
    process: Option<Child>,
    programs: PathBuf,
    folder: TempDir,
    databases: AtomicUsize,
}

impl Server {
    /// A running server; `None` where there are no programs to run.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let required = std::env::var("TEST_POSTGRES").is_ok_and(|wanted| wanted == "required");
            assert!(!required, "no PostgreSQL in /usr/lib/postgresql");
            eprintln!("skipped: no PostgreSQL in /usr/lib/postgresql");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("pg").tempdir().expect("a temporary folder");
        if let Some(user) = user() {
            chown(folder.path(), Some(user), None).expect("root may give a folder away");
        }
        let made = as_user(&programs.join("initdb"))
            .arg(folder.path().join("data"))
            .args(["--username=relay", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
            .current_dir(folder.path())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut server = Self { process: None, programs, folder, databases: AtomicUsize::new(0) };
        server.start_again();
        Some(server)
    }

    /// Starts the server, which is stopped, with what it has kept, and waits until it answers.
    pub fn start_again(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.folder.path().join("log"));
        let process = as_user(&self.programs.join("postgres"))
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .args(["-c", "listen_addresses=", "-c", "max_connections=100", "-k"])
            .arg(self.folder.path())
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(log.expect("a file for the log"))
            .spawn()
            .expect("postgres runs");
        self.process = Some(process);
        let begun = Instant::now();
        while !self.client("postgres", "SELECT 1") {
            assert!(begun.elapsed() < Duration::from_mins(2), "the server does not answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the server at once, as in an emergency: connections break, and it recovers when it starts again.
    pub fn stop(&mut self) {
        self.signal(Signal::QUIT);
        if let Some(mut process) = self.process.take() {
            let _ = process.wait();
        }
    }

    /// Lets all its processes stand still: connections stay and nothing is answered.
    pub fn freeze(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets them go on.
    pub fn thaw(&self) {
        self.signal_all(Signal::CONT);
    }

    fn signal_all(&self, signal: Signal) {
        self.signal(signal);
        let Some(parent) = self.process.as_ref().map(Child::id) else { return };
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| Pid::from_raw(child.parse().ok()?)) {
            // One that has ended meanwhile needs no signal.
            let _ = kill_process(child, signal);
        }
    }

    /// Sends a signal to the process that all others of the server come from.
    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().and_then(|process| i32::try_from(process.id()).ok());
        if let Some(process) = process.and_then(Pid::from_raw) {
            let _ = kill_process(process, signal);
        }
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The address of a new, empty database.
    pub fn new_database(&self) -> String {
        let name = format!("relay{}", self.databases.fetch_add(1, Ordering::Relaxed));
        assert!(self.client("postgres", &format!("CREATE DATABASE {name}")), "{}", self.log());
        format!("postgres://relay@localhost/{name}?host={}", self.folder.path().display())
    }

    /// Whether a statement succeeds.
    pub fn client(&self, database: &str, statement: &str) -> bool {
        let mut client = Command::new(self.programs.join("psql"));
        client.arg("-qh").arg(self.folder.path()).args(["-U", "relay", "-d", database, "-c", statement]);
        client.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("psql runs").success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.thaw();
        self.signal(Signal::INT);
        if let Some(mut process) = self.process.take() {
            let _ = process.wait();
        }
    }
}

/// Where the newest version's programs are.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let version = version.ok()?;
            let programs = version.path().join("bin");
            let number = version.file_name().to_str()?.parse().ok()?;
            ["initdb", "postgres", "psql"].iter().all(|name| programs.join(name).exists()).then_some((number, programs))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, programs)| programs)
}

/// The server refuses to run as root: then it runs as the user that its package made.
fn user() -> Option<u32> {
    if !geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("a file of every system");
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("a user named postgres");
    Some(line.split(':').nth(2).expect("a number").parse().expect("a number"))
}

fn as_user(program: &Path) -> Command {
    let mut command = Command::new(program);
    if let Some(user) = user() {
        command.uid(user);
    }
    command
}
