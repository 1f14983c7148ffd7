//! `fps-lab capture`.

use std::fs::File;
use std::io::{self, IsTerminal, Write, stdout};
use std::path::PathBuf;

use fps_packet::Tap;

use super::Exit;
use crate::desk::{Client, Recording, RuntimeFolder, record};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "It ends with Ctrl-C, with the lab, and when nobody reads any more; how many packets \
                  there were and how many were lost is told on stderr.\n\n\
                  Example: fps-lab capture laptop wlan0 | wireshark -k -i -"
)]
pub(super) struct Arguments {
    /// A host of the lab
    host: String,
    /// A link of the host
    link: String,
    /// Which lab, where several are up
    #[arg(long, value_name = "LAB")]
    lab: Option<String>,
    /// Write to a file instead of stdout
    #[arg(short, long, value_name = "FILE")]
    write: Option<PathBuf>,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    match capture(arguments) {
        Ok(Recording { packets, lost }) => {
            let lost = match lost {
                0 => "none was lost".to_owned(),
                lost => format!("{lost} were lost: who reads them is too slow"),
            };
            complain!("{packets} packets; {lost}");
            Exit::Passed
        }
        Err(error) => {
            complain!("fps-lab: {error}");
            Exit::NoLab
        }
    }
}

fn capture(arguments: &Arguments) -> io::Result<Recording> {
    let Arguments { host, link, .. } = arguments;
    if arguments.write.is_none() && stdout().is_terminal() {
        return Err(io::Error::other(format!(
            "packets are no text for a terminal: `fps-lab capture {host} {link} | wireshark -k -i -`, \
             `| tcpdump -n -r -`, or `-w FILE`"
        )));
    }
    let told = |error: &dyn std::error::Error| io::Error::other(crate::chain(error));
    let folder = RuntimeFolder::find().map_err(|error| told(&error))?;
    let lab = Client::find(&folder, arguments.lab.as_deref(), "--lab LAB");
    let mut lab = lab.map_err(|error| told(&error))?;
    let (found, socket) = lab.tap(host, link).map_err(|error| told(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(async {
        let tap = Tap::open(socket, found.index).map_err(|error| told(&error))?;
        complain!(
            "capturing {link} of {host} in {}; Ctrl-C ends it",
            lab.name()
        );
        match &arguments.write {
            Some(path) => {
                let file = File::create(path).map_err(|error| {
                    io::Error::other(format!("create {}: {error}", path.display()))
                })?;
                record(tap, link, &lab, file, None).await
            }
            None => {
                let out = stdout();
                record(tap, link, &lab, Unbuffered(out.lock()), Some(&out)).await
            }
        }
    })
}

/// Our stdout, which would keep what has no line's end.
struct Unbuffered<W>(W);

impl<W: Write> Write for Unbuffered<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_all(bytes)?;
        self.0.flush()?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
