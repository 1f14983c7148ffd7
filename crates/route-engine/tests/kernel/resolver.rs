//! Somebody in the place of systemd-resolved, on a bus with nobody else.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::StreamExt;
use tokio::net::UnixListener;
use tokio::sync::Notify;
use zbus::message::{Body, Header, Message};
use zbus::wire::{ObjectPath, Variant};
use zbus::{Connection, Guid, connection};

use crate::host::Host;

type Server = (i32, Vec<u8>, u16, String);
type Domain = (String, bool);

/// A resolver that keeps the settings of `fpsc0`, and writes down what it is told.
pub(crate) struct Resolver {
    folder: tempfile::TempDir,
    state: Arc<Mutex<State>>,
    end: Arc<Notify>,
    ended: Mutex<Receiver<()>>,
}

struct State {
    /// Where the settings are kept, as far as anybody can see.
    kept: PathBuf,
    link: i32,
    servers: Vec<Server>,
    domains: Vec<Domain>,
    default_route: Option<bool>,
    log: String,
    /// The errors that it answers to methods.
    refused: HashMap<String, String>,
    /// Who is told once it is asked for settings, and does not answer.
    hanging: Option<Sender<()>>,
}

/// What it answers; nothing where it hangs.
type Answer = Result<Option<Message>, zbus::Error>;

impl Resolver {
    pub(crate) fn of(host: &Host) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("netif");
        fs::create_dir(&kept).unwrap();
        let state = State {
            kept: kept.join("fpsc0"),
            link: host.fpsc0.to_string().parse().unwrap(),
            servers: Vec::new(),
            domains: Vec::new(),
            default_route: None,
            log: String::new(),
            refused: HashMap::new(),
            hanging: None,
        };
        let state = Arc::new(Mutex::new(state));
        let end = Arc::new(Notify::new());
        let (serving, until) = (Arc::clone(&state), Arc::clone(&end));
        let (tell, ended) = channel();
        let (ready, is_ready) = channel();
        let socket = folder.path().join("bus");
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = UnixListener::bind(socket).unwrap();
                ready.send(()).unwrap();
                tokio::select! {
                    () = accept(listener, serving) => {}
                    () = until.notified() => {}
                }
            });
            // Whoever listens is gone where the test is over.
            let _ = tell.send(());
        });
        is_ready.recv().unwrap();
        Self {
            folder,
            state,
            end,
            ended: Mutex::new(ended),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The address of its bus.
    pub(crate) fn address(&self) -> String {
        format!("unix:path={}", self.folder().join("bus").display())
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Has it refuse a method, with an error.
    pub(crate) fn refuse(&self, method: &str, error: &str) {
        let mut state = self.state();
        state.refused.insert(method.to_owned(), error.to_owned());
    }

    /// Has it refuse nothing any more.
    pub(crate) fn permit(&self) {
        self.state().refused.clear();
    }

    /// Sets a server, as another program does.
    pub(crate) fn has_server(&self, address: &str) {
        let IpAddr::V4(address) = address.parse().unwrap() else {
            panic!("{address} is of IPv4");
        };
        let bytes = address.octets().to_vec();
        self.state().servers = vec![(2, bytes, 0, String::new())];
    }

    /// Sets a search domain, as another program does.
    pub(crate) fn has_domain(&self, name: &str) {
        self.state().domains = vec![(name.to_owned(), false)];
    }

    /// Says whether the link is a default route, as another program does.
    pub(crate) fn has_default_route(&self, on: bool) {
        self.state().default_route = Some(on);
    }

    /// Loses the domains, as when another program reverts them.
    pub(crate) fn forget_domains(&self) {
        let mut state = self.state();
        state.domains.clear();
        state.keep();
    }

    /// Has it hang from now on, and returns what says that it has begun to.
    pub(crate) fn hang(&self) -> Receiver<()> {
        let (tell, told) = channel();
        self.state().hanging = Some(tell);
        told
    }

    /// Ends the bus, whose socket stays.
    pub(crate) fn end(&self) {
        self.end.notify_one();
        self.ended.lock().unwrap().recv().unwrap();
    }

    /// What it was told since the last time.
    pub(crate) fn said(&self) -> String {
        std::mem::take(&mut self.state().log)
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.end.notify_one();
    }
}

async fn accept(listener: UnixListener, state: Arc<Mutex<State>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = stream.into_std().unwrap();
        tokio::spawn(serve(stream, Arc::clone(&state)));
    }
}

/// Answers one client.
async fn serve(stream: UnixStream, state: Arc<Mutex<State>>) {
    let server = connection::Builder::unix_stream(stream);
    let server = server.server(Guid::generate()).p2p();
    let mut messages = server.build_message_stream().await.unwrap();
    let bus = Connection::from(&messages);
    // It ends with an error where the client is gone.
    while let Some(Ok(message)) = messages.next().await {
        let answer = state.lock().unwrap().answer(&message).unwrap();
        match answer {
            Some(answer) => bus.send(&answer).await.unwrap(),
            None => std::future::pending().await,
        }
    }
}

impl State {
    fn answer(&mut self, message: &Message) -> Answer {
        let header = message.header();
        let (method, body) = (header.member().unwrap().as_str(), message.body());
        let to = header.destination().unwrap().as_str();
        if method == "Hello" {
            assert_eq!(to, "org.freedesktop.DBus");
            return answer(&header, &":1.7");
        }
        assert_eq!(to, "org.freedesktop.resolve1");
        let reads = matches!(method, "GetLink" | "Get");
        if reads && let Some(hanging) = &self.hanging {
            let _ = hanging.send(());
            return Ok(None);
        }
        let change = if reads {
            None
        } else {
            Some(self.read(method, &body)?)
        };
        if let Some(change) = &change {
            self.log += &change.line();
        }
        if let Some(error) = self.refused.get(method) {
            let refusal = Message::error(&header, error.as_str());
            return refusal.build(&"it is told to").map(Some);
        }
        match change {
            Some(change) => {
                self.carry_out(change);
                answer(&header, &())
            }
            None => self.tell(method, &header, &body),
        }
    }

    fn tell(&self, method: &str, header: &Header<'_>, body: &Body) -> Answer {
        let interface = header.interface().unwrap().as_str();
        let path = format!("/org/freedesktop/resolve1/link/_{}", self.link);
        if method == "GetLink" {
            assert_eq!(interface, "org.freedesktop.resolve1.Manager");
            assert_eq!(body.deserialize::<i32>()?, self.link);
            return answer(header, &ObjectPath::try_from(path)?);
        }
        assert_eq!(interface, "org.freedesktop.DBus.Properties");
        assert_eq!(header.path().unwrap().as_str(), path);
        let (interface, property): (String, String) = body.deserialize()?;
        assert_eq!(interface, "org.freedesktop.resolve1.Link");
        let value = match property.as_str() {
            "DNSEx" => Variant::from(self.servers.clone()),
            "Domains" => Variant::from(self.domains.clone()),
            "DefaultRoute" => Variant::from(self.default_route.unwrap_or(true)),
            other => panic!("no property {other}"),
        };
        answer(header, &value)
    }

    /// What a method with these arguments changes.
    fn read(&self, method: &str, body: &Body) -> Result<Change, zbus::Error> {
        let (link, change) = match method {
            "SetLinkDNSEx" => {
                let (link, servers): (i32, Vec<Server>) = body.deserialize()?;
                // The real one takes the usual ports for none.
                let port = |port| if matches!(port, 53 | 853) { 0 } else { port };
                let servers = servers.into_iter();
                let servers = servers.map(|(family, ip, at, name)| (family, ip, port(at), name));
                (link, Change::Servers(servers.collect()))
            }
            "SetLinkDomains" => {
                let (link, domains): (i32, Vec<Domain>) = body.deserialize()?;
                // As it has them (`dns_name_normalize` in src/shared/dns-domain.c).
                let bare = |name: String| match name.as_str() {
                    "." => name,
                    _ => name.trim_end_matches('.').to_owned(),
                };
                let domains = domains
                    .into_iter()
                    .map(|(name, routes)| (bare(name), routes));
                (link, Change::Domains(domains.collect()))
            }
            "SetLinkDefaultRoute" => {
                let (link, on) = body.deserialize()?;
                (link, Change::DefaultRoute(on))
            }
            "RevertLink" => (body.deserialize()?, Change::Revert),
            "FlushCaches" => {
                assert!(body.is_empty());
                return Ok(Change::Flush);
            }
            other => panic!("no method {other}"),
        };
        assert_eq!(link, self.link, "{method}");
        Ok(change)
    }

    fn carry_out(&mut self, change: Change) {
        match change {
            Change::Servers(servers) => self.servers = servers,
            Change::Domains(domains) => self.domains = domains,
            Change::DefaultRoute(on) => self.default_route = Some(on),
            Change::Revert => {
                self.servers.clear();
                self.domains.clear();
                self.default_route = None;
            }
            Change::Flush => return,
        }
        self.keep();
    }

    /// Writes a file, as resolved does after each change.
    fn keep(&self) {
        fs::write(&self.kept, "").unwrap();
    }
}

enum Change {
    Servers(Vec<Server>),
    Domains(Vec<Domain>),
    DefaultRoute(bool),
    Revert,
    Flush,
}

impl Change {
    /// The change as the words of resolvectl(1).
    fn line(&self) -> String {
        match self {
            Self::Servers(servers) => {
                let servers: Vec<_> = servers.iter().map(server).collect();
                format!("dns fpsc0 {}\n", servers.join(" "))
            }
            Self::Domains(domains) => {
                let tilde = |routes: bool| if routes { "~" } else { "" };
                let domains = domains.iter();
                let domains: Vec<_> = domains
                    .map(|(name, routes)| format!("{}{name}", tilde(*routes)))
                    .collect();
                format!("domain fpsc0 {}\n", domains.join(" "))
            }
            Self::DefaultRoute(on) => {
                format!("default-route fpsc0 {}\n", if *on { "yes" } else { "no" })
            }
            Self::Revert => "revert fpsc0\n".to_owned(),
            Self::Flush => "flush-caches\n".to_owned(),
        }
    }
}

fn server((family, bytes, port, name): &Server) -> String {
    let address: IpAddr = match family {
        2 => <[u8; 4]>::try_from(bytes.as_slice()).unwrap().into(),
        10 => <[u8; 16]>::try_from(bytes.as_slice()).unwrap().into(),
        other => panic!("no family {other}"),
    };
    let place = match port {
        0 => address.to_string(),
        port => SocketAddr::new(address, *port).to_string(),
    };
    match name.as_str() {
        "" => place,
        name => format!("{place}#{name}"),
    }
}

fn answer<B>(to: &Header<'_>, body: &B) -> Answer
where
    B: serde::Serialize + zbus::DynamicType,
{
    Message::method_return(to).build(body).map(Some)
}
