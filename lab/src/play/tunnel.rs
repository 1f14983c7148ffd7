//! The tunnel's programs: where each runs, what it is told and when it is ready.

use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};

use super::stage::Stage;
use super::{StageError, fps};
use crate::sandbox::FileSpec;
use crate::scenario::{HostName, Ready, Tunnel, TunnelRole, Vpn};

/// Where each host finds the play's CA, and a certificate and a key of its own, if the tunnel is
/// another VPN than FPS.
const CA: &str = "/run/tunnel/ca.pem";
const CERTIFICATE: &str = "/run/tunnel/cert.pem";
const KEY: &str = "/run/tunnel/key.pem";

/// How a program of the tunnel is started.
pub(super) struct Launch<'a> {
    pub(super) host: &'a HostName,
    pub(super) command: Vec<String>,
    pub(super) ready: Ready,
}

/// How a role's program is started.
pub(super) fn launch(tunnel: &Tunnel, role: TunnelRole) -> Launch<'_> {
    let foreign = match &tunnel.vpn {
        Vpn::Fps(ours) => return fps::launch(tunnel, ours, role),
        Vpn::Foreign(foreign) => foreign,
    };
    let (host, program) = match role {
        TunnelRole::Client => (&tunnel.client, &foreign.client),
        TunnelRole::Server => (&tunnel.server, &foreign.server),
        TunnelRole::Origin | TunnelRole::Carrier => {
            unreachable!("validation knows that another VPN has no {role}")
        }
    };
    Launch {
        host,
        command: program.command.clone(),
        ready: program.ready.clone(),
    }
}

impl Stage<'_> {
    /// Gives each host a certificate in its own name, if the tunnel is another VPN than FPS: for
    /// its client, its server, and further servers that are programs.
    pub(super) fn issue_certificates(&self) -> Result<(), StageError> {
        let tunnel = self.scenario.tunnel.as_ref();
        if !tunnel.is_some_and(|tunnel| matches!(tunnel.vpn, Vpn::Foreign(_))) {
            return Ok(());
        }
        let authority = self.lab.authority()?;
        for (name, host) in self.lab.hosts() {
            let usages = [ServerAuth, ClientAuth];
            let issued = authority.issue(vec![name.to_string()], &usages)?;
            let files = [
                FileSpec::new(CA, authority.certificate()),
                FileSpec::new(CERTIFICATE, issued.certificate()),
                FileSpec::secret(KEY, issued.key()),
            ];
            for file in files {
                self.lab.sandbox().write_file(host.id(), file)?;
            }
        }
        Ok(())
    }
}
