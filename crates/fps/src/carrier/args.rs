//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use tokio_tungstenite::tungstenite::http::Uri;

use fps_log::Level;

/// An application (and its origin) whose connection can carry the tunnel.
#[derive(Debug, clap::Parser)]
#[command(
    name = "fps_carrier",
    disable_help_subcommand = true,
    after_help = "Example: fps_carrier origin --listen 0.0.0.0:443 --self-signed carrier.example.net"
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) program: Program,
    /// Log this level and worse ones.
    #[arg(long, global = true, value_name = "LEVEL", value_enum)]
    pub(super) log_level: Option<Level>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Program {
    /// Serve over TLS: a WebSocket echo on /fps-carrier, on / a page that opens one, on /stream an
    /// answer that never ends, and a tiny page elsewhere.
    #[command(
        after_help = "Example: fps_carrier origin --listen 0.0.0.0:443 --self-signed carrier.example.net"
    )]
    Origin(OriginArgs),
    /// Keep one WebSocket open: send frames, check their echo, reconnect when it breaks.
    #[command(
        after_help = "Example: fps_carrier client --url wss://carrier.example.net/fps-carrier --ca-file ca.pem"
    )]
    Client(ClientArgs),
    /// Pass connections on, each byte so much later: a long way, where the kernel has no netem.
    #[command(
        after_help = "Example: fps_carrier delay --listen 127.0.0.1:7000 --connect 192.0.2.1:443 --delay-ms 50"
    )]
    Delay(DelayArgs),
    /// Answer a LAN's questions for a few names: what a gateway's DNS does, and no more.
    #[command(
        after_help = "Example: fps_carrier dns --listen 192.168.188.1:53 --answer carrier.example.net=192.0.2.1"
    )]
    Dns(DnsArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct DnsArgs {
    /// Listen here.
    #[arg(long, value_name = "IP:PORT")]
    pub(super) listen: SocketAddr,
    /// What a name means; any other name does not exist. Once for each address.
    #[arg(long = "answer", value_name = "NAME=IP", required = true, value_parser = answer)]
    pub(super) answers: Vec<(String, IpAddr)>,
}

#[derive(Debug, clap::Args)]
pub(super) struct DelayArgs {
    /// Listen here.
    #[arg(long, value_name = "IP:PORT")]
    pub(super) listen: SocketAddr,
    /// Pass on to here.
    #[arg(long, value_name = "IP:PORT")]
    pub(super) connect: SocketAddr,
    /// How much later, each way.
    #[arg(long, value_name = "MS")]
    pub(super) delay_ms: u64,
}

#[derive(Debug, clap::Args)]
pub(super) struct OriginArgs {
    /// Listen here.
    #[arg(long, value_name = "IP:PORT")]
    pub(super) listen: SocketAddr,
    /// The certificate chain.
    #[arg(
        long,
        value_name = "PEM",
        requires = "key",
        conflicts_with = "self_signed"
    )]
    pub(super) cert: Option<PathBuf>,
    /// Its private key.
    #[arg(long, value_name = "PEM", requires = "cert")]
    pub(super) key: Option<PathBuf>,
    /// Make a certificate for this name.
    #[arg(
        long,
        value_name = "NAME",
        num_args = 0..=1,
        required_unless_present = "cert",
        default_missing_value = "carrier.example.net"
    )]
    pub(super) self_signed: Option<String>,
    /// Write the certificate that was made here, for a client's --ca-file.
    #[arg(long, value_name = "PEM", requires = "self_signed")]
    pub(super) cert_out: Option<PathBuf>,
    /// Talk unasked, so often: on the WebSocket, and on /stream, which does so anyway.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) push_every: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ClientArgs {
    /// What to open, such as wss://carrier.example.net/fps-carrier.
    #[arg(long, value_parser = wss)]
    pub(super) url: Uri,
    /// Connect here instead of resolving the URL's name.
    #[arg(long, value_name = "IP:PORT")]
    pub(super) connect: Option<SocketAddr>,
    /// Trust these certificates and no others.
    #[arg(long, value_name = "PEM")]
    pub(super) ca_file: PathBuf,
    /// How many bytes to send in a second, in all frames together.
    #[arg(long, value_name = "BYTES", default_value = "4096")]
    pub(super) rate_bytes: NonZeroU32,
    /// In how many frames.
    #[arg(long, value_name = "COUNT", default_value = "4")]
    pub(super) frames_per_second: NonZeroU32,
    /// How many connections to keep open side by side.
    #[arg(long, value_name = "COUNT", default_value = "1")]
    pub(super) sessions: NonZeroU32,
    /// The pause before the first attempt to reconnect; it doubles from attempt to attempt. 10 ms
    /// at least, so that a refused connection does not spin.
    #[arg(long, value_name = "MS", default_value = "200", hide_short_help = true)]
    reconnect_min_ms: u64,
    /// The longest pause.
    #[arg(
        long,
        value_name = "MS",
        default_value = "5000",
        hide_short_help = true
    )]
    reconnect_max_ms: u64,
    /// Give a connection up when its handshake or an echo takes longer. Without this a network
    /// that vanished silently would be noticed after a quarter of an hour, when TCP gives up.
    #[arg(long, value_name = "MS", default_value = "5000")]
    echo_timeout_ms: u64,
}

impl ClientArgs {
    /// The pauses between attempts: from the first to the longest.
    pub(super) fn pauses(&self) -> (Duration, Duration) {
        const LEAST: Duration = Duration::from_millis(10);
        let first = Duration::from_millis(self.reconnect_min_ms).max(LEAST);
        (
            first,
            Duration::from_millis(self.reconnect_max_ms).max(first),
        )
    }

    /// How long an answer may take.
    pub(super) fn patience(&self) -> Duration {
        Duration::from_millis(self.echo_timeout_ms)
    }
}

fn wss(text: &str) -> Result<Uri, String> {
    let url: Uri = text.parse().map_err(|_| format!("`{text}` is no URL"))?;
    match (url.scheme_str(), url.host()) {
        (Some("wss"), Some(_)) => Ok(url),
        _ => Err(format!("`{text}` does not look like wss://host/path")),
    }
}

fn answer(text: &str) -> Result<(String, IpAddr), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.and_then(|(name, ip)| Some((name.to_ascii_lowercase(), ip.parse().ok()?)))
        .ok_or_else(|| format!("`{text}` does not look like carrier.example.net=192.0.2.1"))
}
