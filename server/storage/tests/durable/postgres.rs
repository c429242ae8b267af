//! A PostgreSQL server of its own in a temporary folder, reached through a socket in it.
//!
//! It runs where the machine has the programs (Debian: `postgresql`). Where it has not, the tests say so and pass, unless `TEST_POSTGRES=required`.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use blindrelay_storage::DatabaseAddress;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

pub(crate) struct Server {
    process: Child,
    programs: PathBuf,
    folder: TempDir,
    databases: AtomicUsize,
}

impl Server {
    /// A running server; `None` where there are no programs to run.
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let required = std::env::var("TEST_POSTGRES").is_ok_and(|wanted| wanted == "required");
            assert!(!required, "no PostgreSQL in /usr/lib/postgresql");
            eprintln!("skipped: no PostgreSQL in /usr/lib/postgresql");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("pg").tempdir().unwrap();
        if let Some(user) = user() {
            chown(folder.path(), Some(user), None).unwrap();
        }
        let made = as_user(&programs.join("initdb"))
            .arg(folder.path().join("data"))
            .args(["--username=relay", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let process = as_user(&programs.join("postgres"))
            .arg("-D")
            .arg(folder.path().join("data"))
            .args(["-c", "listen_addresses=", "-c", "max_connections=50", "-k"])
            .arg(folder.path())
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { process, programs, folder, databases: AtomicUsize::new(0) };
        let begun = Instant::now();
        while !server.client("postgres", "SELECT 1") {
            assert!(begun.elapsed() < Duration::from_mins(2), "the server does not answer: {}", server.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(server)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// An empty database.
    pub(crate) fn new_database(&self) -> DatabaseAddress {
        let name = format!("relay{}", self.databases.fetch_add(1, Ordering::Relaxed));
        assert!(self.client("postgres", &format!("CREATE DATABASE {name}")));
        let socket = self.folder.path().display();
        DatabaseAddress::try_from(format!("postgres://relay@localhost/{name}?host={socket}")).unwrap()
    }

    /// Whether a statement succeeds.
    fn client(&self, database: &str, statement: &str) -> bool {
        let mut client = Command::new(self.programs.join("psql"));
        client.arg("-qh").arg(self.folder.path()).args(["-U", "relay", "-d", database, "-c", statement]);
        client.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(process) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(process, Signal::INT);
        }
        let _ = self.process.wait();
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
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("a user named postgres");
    Some(line.split(':').nth(2).unwrap().parse().unwrap())
}

fn as_user(program: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    if let Some(user) = user() {
        command.uid(user);
    }
    command
}
