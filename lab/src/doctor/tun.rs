//! `/dev/net/tun`: opened, since its mode, its module and a container's list of devices all have a say.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::libc;
use nix::unistd::geteuid;

use super::Lack;
use super::finding::{About, Finding};

const ABOUT: About = About {
    name: "/dev/net/tun",
    purpose: "every tunnel",
    decisive: true,
    program: false,
};

/// The device that a TUN is opened by.
const TUN: &str = "/dev/net/tun";

pub(super) fn examine() -> Finding {
    match look() {
        Ok(()) => ABOUT.ok(format!(
            "opened; its mode is {}",
            mode().unwrap_or_default()
        )),
        Err(lack) => ABOUT.missing(lack),
    }
}

/// Opens it. A device node may be opened by its mode alone, whatever the capabilities in a user
/// namespace.
pub(super) fn look() -> Result<(), Lack> {
    let opened = OpenOptions::new().read(true).write(true).open(TUN);
    let opened = opened.map_err(|error| explain(&error, mode().as_deref()))?;
    let mut features: libc::c_uint = 0;
    // SAFETY: the kernel writes one number, as whoever has the device open may ask (`__tun_chr_ioctl` in
    // drivers/net/tun.c).
    match unsafe { features_of(opened.as_raw_fd(), &raw mut features) } {
        Ok(_) => Ok(()),
        Err(errno) => Err(Lack::new(
            format!("ask {TUN} what it can do, as it is no TUN device: {errno}"),
            format!("make it: sudo rm {TUN} && sudo mknod -m 0666 {TUN} c 10 200"),
        )),
    }
}

nix::ioctl_read!(
    /// TUNGETFEATURES (linux/if_tun.h).
    features_of, b'T', 207, libc::c_uint
);

fn mode() -> Option<String> {
    let mode = Path::new(TUN).metadata().ok()?.permissions().mode();
    Some(format!("{:04o}", mode & 0o7777))
}

fn explain(error: &io::Error, mode: Option<&str>) -> Lack {
    let mode = mode.unwrap_or("unknown");
    let what = format!("open {TUN}, which the tunnel needs: {error}");
    let remedy = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EACCES) => {
            let user = geteuid();
            return Lack::new(
                format!("{what}; its mode is {mode}, and we are user {user}"),
                "sudo chmod 0666 /dev/net/tun (for good: echo 'KERNEL==\"tun\", MODE=\"0666\"' | sudo tee \
                 /etc/udev/rules.d/60-tun.rules), or run as root (sudo)",
            );
        }
        Some(Errno::EPERM) => "in a container, start it with --device /dev/net/tun",
        Some(Errno::ENOENT) => {
            "load the module `tun`: sudo modprobe tun; in a container, start it with --device \
             /dev/net/tun; where neither helps: sudo mkdir -p /dev/net && sudo mknod -m 0666 \
             /dev/net/tun c 10 200"
        }
        _ => "load the module `tun`: sudo modprobe tun",
    };
    Lack::new(what, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_own_remedy() {
        let cases = [
            (Errno::EACCES, "sudo chmod 0666 /dev/net/tun"),
            (Errno::EPERM, "--device /dev/net/tun"),
            (Errno::ENOENT, "mknod -m 0666 /dev/net/tun c 10 200"),
            (Errno::ENXIO, "sudo modprobe tun"),
            (Errno::ENODEV, "sudo modprobe tun"),
        ];
        for (errno, sign) in cases {
            let lack = explain(&errno.into(), Some("0600"));
            assert!(lack.remedy.contains(sign), "{errno}: {}", lack.remedy);
        }
        let closed = explain(&Errno::EACCES.into(), Some("0600"));
        assert!(closed.what.contains("its mode is 0600"), "{}", closed.what);
    }
}
