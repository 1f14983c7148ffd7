//! Chromium without a screen, spoken to by the DevTools protocol over two pipes.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc;
use nix::unistd::pipe;
use serde_json::{Value, json};
use tempfile::TempDir;

/// More than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// `--remote-debugging-pipe` reads descriptor 3 and writes descriptor 4.
const ENDS: [RawFd; 2] = [3, 4];

/// A browser that runs, with one page.
pub(crate) struct Browser {
    child: Child,
    /// Requests, each JSON and a zero byte.
    to: File,
    said: Receiver<Value>,
    session: Option<String>,
    last: u64,
    /// What it has told without being asked, since it was last looked at.
    events: Vec<Value>,
    _profile: TempDir,
}

impl Browser {
    /// Starts it with an empty profile and an empty page.
    pub(crate) fn start() -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let (its_input, to) = pipe().expect("a pipe");
        let (from, its_output) = pipe().expect("a pipe");
        let mut command = Command::new("chromium");
        command
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--remote-debugging-pipe",
                "--no-first-run",
                "--disable-extensions",
            ])
            .args(["--disable-background-networking", "--hide-scrollbars"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        hand_over(&mut command, [&its_input, &its_output]);
        let child = command.spawn().unwrap_or_else(|error| {
            panic!("this test needs Chromium, and `chromium` cannot be started: {error}; Debian has it in: chromium")
        });
        // Where the browser has ended, nobody else shall hold its ends.
        drop((its_input, its_output));
        let mut browser = Self {
            child,
            to: to.into(),
            said: listen(from),
            session: None,
            last: 0,
            events: Vec::new(),
            _profile: profile,
        };
        browser.attach();
        browser
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", target);
        self.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Asks for something and waits for the answer.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, params: Value) -> Value {
        self.last += 1;
        let id = self.last;
        let mut request = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        let mut text = request.to_string().into_bytes();
        text.push(0);
        self.to.write_all(&text).expect("Chromium reads");
        let answer = self.wait(method, |said| said["id"] == json!(id));
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    /// Waits until it tells of this event.
    #[track_caller]
    pub(crate) fn await_event(&mut self, method: &str) {
        let is = |said: &Value| said["method"] == json!(method);
        if !self.events.iter().any(is) {
            let event = self.wait(method, is);
            self.events.push(event);
        }
    }

    #[track_caller]
    fn wait(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let said = self.said.recv_timeout(left);
            let said = said.unwrap_or_else(|error| panic!("Chromium and {what}: {error}"));
            if is(&said) {
                return said;
            }
            self.events.push(said);
        }
    }

    /// What it has told without being asked since this was last called: method and parameters.
    pub(crate) fn take_events(&mut self) -> Vec<(String, Value)> {
        // What came before the answer to a question is there when the answer is.
        self.value("1");
        let events = std::mem::take(&mut self.events).into_iter();
        let told = events.filter_map(|mut it| {
            let method = it["method"].as_str()?.to_owned();
            Some((method, it["params"].take()))
        });
        told.collect()
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        let thrown = &answer["exceptionDetails"];
        assert!(thrown.is_null(), "{expression}: {thrown}");
        answer["result"]["value"].clone()
    }

    /// Opens a page, and waits until it is loaded.
    pub(crate) fn open(&mut self, url: &str) {
        self.events.clear();
        self.call("Page.navigate", json!({ "url": url }));
        self.await_event("Page.loadEventFired");
    }

    /// Takes another screen, and another preference for light or dark.
    pub(crate) fn screen(&mut self, (width, height): (u32, u32), scheme: &str) {
        let phone = width < 600;
        let screen =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone });
        self.call("Emulation.setDeviceMetricsOverride", screen);
        let scheme = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": scheme }));
    }

    /// Clicks the middle of the first element that a selector finds, with the mouse.
    #[track_caller]
    pub(crate) fn click(&mut self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{ const it = document.querySelector({selector:?}); it.scrollIntoView({{ block: 'center' }}); \
             const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// What is on the screen, as PNG in base64.
    pub(crate) fn screenshot(&mut self) -> String {
        let shot = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        shot["data"].as_str().expect("a picture").to_owned()
    }
}

impl Drop for Browser {
    /// Closing the pipe would do; a test does not wait for its politeness.
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Has the command find its two ends as descriptors 3 and 4.
fn hand_over(command: &mut Command, ends: [&OwnedFd; 2]) {
    let from = ends.map(AsRawFd::as_raw_fd);
    let move_to = |from: RawFd, to: RawFd| {
        // SAFETY: dup2 takes numbers, and needs no memory.
        let done = unsafe { libc::dup2(from, to) };
        nix::errno::Errno::result(done)
    };
    let enter = move || {
        // Out of the way first: one of them may be 3 or 4 itself, and then must not be closed by exec.
        let high = [from[0], from[1]].map(|fd| {
            // SAFETY: fcntl takes numbers here.
            let high = unsafe { libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 10) };
            nix::errno::Errno::result(high)
        });
        move_to(high[0]?, ENDS[0])?;
        move_to(high[1]?, ENDS[1])?;
        Ok(())
    };
    // SAFETY: the closure makes system calls, and allocates nothing.
    unsafe { command.pre_exec(enter) };
}

/// Passes on what the browser says, until it ends.
fn listen(from: OwnedFd) -> Receiver<Value> {
    let (tell, said) = channel();
    thread::spawn(move || {
        for text in BufReader::new(File::from(from)).split(0) {
            let Ok(text) = text else { break };
            let value = serde_json::from_slice(&text).expect("Chromium speaks JSON");
            if tell.send(value).is_err() {
                break;
            }
        }
    });
    said
}
