//! The binary as a process: started in a folder and an environment of its own, and never left
//! behind.

use rustix::io::ioctl_fionbio;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take that takes milliseconds on a machine that is not busy.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// Five times what the server itself allows for its exit.
pub(crate) const EXIT: Duration = Duration::from_secs(5 * 8);

const PROGRAM: &str = env!("CARGO_BIN_EXE_northgate");

/// What is to be started, and where.
pub(crate) struct Setup {
    folder: TempDir,
    command: Command,
    /// Ends of pipes that nobody reads.
    unread: Vec<PipeReader>,
}

impl Setup {
    /// With these flags, in an empty folder, with nothing in the environment but `PATH`.
    pub(crate) fn new(flags: &[&str]) -> Self {
        Self::of(Command::new(PROGRAM), flags)
    }

    /// As [`Setup::new`], from a shell that runs `before`.
    pub(crate) fn after(before: &str, flags: &[&str]) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{before} && exec \"$0\" \"$@\""), PROGRAM]);
        Self::of(shell, flags)
    }

    /// As [`Setup::new`], in a process that modes of files bind even if root runs it.
    pub(crate) fn bound_by_modes(flags: &[&str]) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::new(flags);
        }
        let mut without = Command::new("setpriv");
        without.args(["--bounding-set", "-dac_override,-dac_read_search", "--", PROGRAM]);
        Self::of(without, flags)
    }

    /// As [`Setup::new`], with mounts of its own: `mount` runs before it and is seen by nobody else.
    pub(crate) fn in_its_own_namespace(mount: &str, flags: &[&str]) -> Self {
        let mut shell = Command::new("unshare");
        // Where this user may not mount, one may who is root in a namespace of users.
        let is_root = rustix::process::geteuid().is_root();
        shell.args(if is_root { &["--mount"][..] } else { &["--mount", "--map-root-user"] });
        shell.args(["sh", "-c", &format!("{mount} && exec \"$0\" \"$@\""), PROGRAM]);
        Self::of(shell, flags)
    }

    fn of(mut command: Command, flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        command.args(flags).current_dir(folder.path()).env_clear();
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { folder, command, unread: Vec::new() }
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    /// With nobody at the other end of standard error.
    pub(crate) fn unheard(mut self) -> Self {
        let (_, writer) = std::io::pipe().unwrap();
        self.command.stderr(writer);
        self
    }

    /// With standard error a pipe that is full, and that nobody reads.
    pub(crate) fn stalled_stderr(mut self) -> Self {
        let (reader, writer) = full_pipe();
        self.command.stderr(writer);
        self.unread.push(reader);
        self
    }

    /// With standard output a pipe that is full, and that nobody reads.
    pub(crate) fn stalled_stdout(mut self) -> Self {
        let (reader, writer) = full_pipe();
        self.command.stdout(writer);
        self.unread.push(reader);
        self
    }

    /// Starts it at `address`, and waits until it listens there.
    pub(crate) fn serve_at(mut self, address: SocketAddr) -> Program {
        self.command.args(["--port", &address.port().to_string()]);
        let mut program = self.start();
        program.address = Some(address);
        eventually(SOON, || TcpStream::connect(address).ok());
        program
    }

    /// Starts it and waits for its address. It is given any free port.
    pub(crate) fn serve(mut self) -> Program {
        self.command.args(["--port", "0"]);
        let mut program = self.start();
        let line = program.stdout.recv_timeout(SOON).expect("a first line on standard output");
        let address = line.strip_prefix("http://").map(str::parse);
        program.address = Some(address.expect("the line is a URL").expect("with an address in it"));
        program.said.push(line);
        program
    }

    /// Starts it and waits for its end.
    pub(crate) fn end(self) -> Ended {
        self.start().end(SOON)
    }

    pub(crate) fn start(mut self) -> Program {
        let mut child = self.command.spawn().unwrap();
        let stdout = child.stdout.take().map_or_else(|| channel().1, lines);
        let stderr = child.stderr.take().map_or_else(|| channel().1, lines);
        Program {
            child,
            stdout,
            stderr,
            said: Vec::new(),
            logged: Vec::new(),
            address: None,
            _folder: self.folder,
            _unread: self.unread,
        }
    }
}

/// A pipe that takes nothing more: whoever writes to it waits for a reader.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    ioctl_fionbio(&writer, true).unwrap();
    for size in [4_096, 1] {
        while writer.write(&vec![b'x'; size]).is_ok() {}
    }
    ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

/// The lines of `stream` as they come, up to its end.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A process that runs, and is killed when the test ends first.
pub(crate) struct Program {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    /// What was taken from standard output already.
    said: Vec<String>,
    /// What was taken from standard error already.
    logged: Vec<String>,
    address: Option<SocketAddr>,
    _folder: TempDir,
    _unread: Vec<PipeReader>,
}

impl Program {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address.expect("it serves")
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        // Every shell has `kill`; not every machine has it as a program.
        let command = format!("kill -{name} {}", self.pid());
        let sent = Command::new("sh").args(["-c", &command]).status().unwrap();
        assert!(sent.success());
    }

    /// Whether a line on standard error has `text` in it.
    pub(crate) fn has_logged(&mut self, text: &str) -> bool {
        self.logged.extend(self.stderr.try_iter());
        self.logged.iter().any(|line| line.contains(text))
    }

    /// Waits for its end.
    pub(crate) fn end(mut self, within: Duration) -> Ended {
        let status = eventually(within, || self.child.try_wait().unwrap());
        // Both streams end with the process.
        let mut stdout = std::mem::take(&mut self.said);
        stdout.extend(self.stdout.iter());
        let mut stderr = std::mem::take(&mut self.logged);
        stderr.extend(self.stderr.iter());
        Ended { code: status.code(), stdout, stderr }
    }

    /// Tells it to stop in good order, and waits for its end.
    pub(crate) fn stop(self) -> Ended {
        self.signal("TERM");
        self.end(EXIT)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An error means that it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that has ended, with every line that it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

/// Asks again until there is an answer, and fails the test when there is none in time.
pub(crate) fn eventually<T>(within: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {within:?}");
        thread::sleep(Duration::from_millis(5));
    }
}
