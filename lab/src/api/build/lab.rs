//! A lab that is to stand.

use std::fs;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use toml::{Table, Value};

use super::{HostBuilder, ProgramBuilder, TunnelBuilder, merge, table};
use crate::api::document::{Document, StepText};
use crate::api::value::texts;
use crate::api::{Doing, Failure, IntoValue, Lab, place, thread};
use crate::lab::Site;
use crate::sandbox::whereabouts;
use crate::scenario;

/// Nets, hosts, programs and the tunnel of a lab that is to stand.
///
/// A mistake in it is told by [`start`](Self::start), with the place in the scenario that it amounts to.
#[derive(Clone, Debug)]
#[must_use = "there is no lab until it is started"]
pub struct LabBuilder {
    document: Document,
    /// The steps of the file that it comes from.
    steps: Vec<StepText>,
    mistakes: Vec<String>,
    programs: IndexMap<String, PathBuf>,
    helper: Option<PathBuf>,
    out: Option<PathBuf>,
    name: Option<String>,
}

impl LabBuilder {
    pub(in crate::api) fn new() -> Self {
        let title = Value::String("A lab of a test".to_owned());
        Self {
            document: Document {
                lab: Table::from_iter([("title".to_owned(), title)]),
                steps: Vec::new(),
                path: PathBuf::from("lab.toml"),
            },
            steps: Vec::new(),
            mistakes: Vec::new(),
            programs: IndexMap::new(),
            helper: None,
            out: None,
            name: None,
        }
    }

    /// The lab of a scenario file, which is checked whole; [`Lab::play`] plays its steps. Its sabotages
    /// are for the command `fps-lab run`.
    pub(in crate::api) fn from_file(path: &Path) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::mistake(format!("{}: {why}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
        // With the places of the file itself.
        let read = scenario::parse(path, &text);
        read.map_err(|error| Failure::mistake(crate::chain(&error)))?;
        let mut file: Table = text.parse().map_err(|_| wrong("it is no TOML"))?;
        let steps = match file.remove("step") {
            Some(Value::Array(steps)) => steps,
            _ => Vec::new(),
        };
        for key in ["sabotage", "why"] {
            file.remove(key);
        }
        let steps = steps.into_iter().enumerate();
        let mut builder = Self::new();
        builder.document.lab = file;
        path.clone_into(&mut builder.document.path);
        builder.steps = steps
            .map(|(at, step)| StepText::of_file(at, &step))
            .collect();
        Ok(builder)
    }

    /// A net: an L2 segment with an IPv4 subnet, an IPv6 subnet, or both.
    pub fn net(mut self, name: &str, subnets: impl IntoValue) -> Self {
        for subnet in texts(subnets.into_value()) {
            let family = if subnet.contains(':') { "v6" } else { "v4" };
            let net = table(&mut self.document.lab, "net").and_then(|nets| table(nets, name));
            let before = net.and_then(|net| net.insert(family.to_owned(), subnet.into_value()));
            if before.is_some() {
                self.mistakes
                    .push(format!("the net {name} has two {family} subnets"));
            }
        }
        self
    }

    /// A host.
    pub fn host(mut self, name: &str, make: impl FnOnce(HostBuilder) -> HostBuilder) -> Self {
        let HostBuilder { host, mistakes, .. } = make(HostBuilder::default());
        let wrong = mistakes
            .into_iter()
            .map(|it| format!("the host {name}: {it}"));
        self.mistakes.extend(wrong);
        let known = table(&mut self.document.lab, "host").and_then(|hosts| table(hosts, name));
        match known {
            Some(known) => merge(known, host),
            None => self.mistakes.push("`host` is no table".to_owned()),
        }
        self
    }

    /// A program on a host, which acts start and stop by this name.
    pub fn program(
        mut self,
        name: &str,
        on: &str,
        command: impl IntoIterator<Item = impl Into<String>>,
        make: impl FnOnce(ProgramBuilder) -> ProgramBuilder,
    ) -> Self {
        let command = command.into_iter().map(Into::into).collect();
        let program = make(ProgramBuilder::new(on, command)).into_table();
        if let Some(programs) = table(&mut self.document.lab, "program") {
            programs.insert(name.to_owned(), program.into());
        }
        self
    }

    /// The tunnel under test, from one host to another. It runs once the lab has started.
    pub fn tunnel(
        mut self,
        client: &str,
        server: &str,
        make: impl FnOnce(TunnelBuilder) -> TunnelBuilder,
    ) -> Self {
        let tunnel = make(TunnelBuilder::new(client, server));
        let wrong = tunnel.mistakes.iter().map(|it| format!("the tunnel: {it}"));
        self.mistakes.extend(wrong);
        self.document
            .lab
            .insert("tunnel".to_owned(), tunnel.into_value());
        self
    }

    /// Programs that must be on the machine; without one the lab does not start.
    pub fn needs(mut self, programs: impl IntoValue) -> Self {
        let programs = texts(programs.into_value());
        super::push(&mut self.document.lab, "needs", programs.into_value());
        self
    }

    /// Any part of a scenario but its steps: `"[net.home]\nname-servers = \"192.168.188.1\""`.
    pub fn toml(mut self, text: &str) -> Self {
        match text.parse::<Table>() {
            Ok(mut more) => {
                for key in ["step", "sabotage", "why", "alone"] {
                    if more.remove(key).is_some() {
                        self.mistakes
                            .push(format!("`{key}` is no part of a lab that is to stand"));
                    }
                }
                merge(&mut self.document.lab, more);
            }
            Err(error) => self.mistakes.push(error.to_string()),
        }
        self
    }

    /// Another build of `fps_client`, `fps_server`, `fps_carrier`, `fps-route` or `fps-dns`, by that name.
    pub fn with_build(mut self, program: &str, path: impl Into<PathBuf>) -> Self {
        self.programs.insert(program.to_owned(), path.into());
        self
    }

    /// The program `fps-lab`, if it is not to be looked for.
    pub fn helper(mut self, path: impl Into<PathBuf>) -> Self {
        self.helper = Some(path.into());
        self
    }

    /// The folder that logs go to, in place of `fps-lab-out` in the target folder (or FPS_LAB_OUT).
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// What the lab is called in what it prints, if not as the test.
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The scenario that this amounts to so far, as a file would have it.
    pub fn to_toml(&self) -> String {
        self.document.text()
    }

    /// Builds the lab and starts its tunnel. The first packet is answered once this is done.
    pub fn start(self) -> Doing<'static, Lab> {
        // Here, since the name of a test is that of its thread.
        let name = place::name(self.name.as_deref());
        Doing::new(async move {
            if !self.mistakes.is_empty() {
                return Err(Failure::mistake(self.mistakes.join("\n")));
            }
            let helper = match self.helper {
                Some(helper) => helper,
                None => whereabouts::find().map_err(Failure::no_lab)?,
            };
            let folder = place::folder(self.out.as_deref(), &name);
            let folder = folder
                .map_err(|error| Failure::no_lab(format!("make the folder for logs: {error}")))?;
            let programs = self.programs;
            Lab::start(thread::Plan {
                name,
                document: self.document,
                steps: self.steps,
                site: Site { helper, programs },
                folder,
            })
            .await
        })
    }
}
