//! A TUN device, and what comes out of its tunnel.

use std::fs::File;
use std::io::Write;
use std::mem;
use std::os::fd::AsRawFd;

use nix::libc;

use fps_netns::Namespace;

/// The far end of a TUN device: what is written here comes in on the device.
pub(crate) struct Tun(File);

nix::ioctl_write_ptr_bad!(
    /// `TUNSETIFF` of `<linux/if_tun.h>`.
    tun_set_iff,
    nix::request_code_write!(b'T', 202, mem::size_of::<libc::c_int>()),
    libc::ifreq
);

impl Tun {
    /// Makes a TUN device with this name in the namespace.
    pub(crate) fn new(namespace: &Namespace, name: &str) -> Self {
        let made = namespace.within(|| {
            let file = File::options().read(true).write(true).open("/dev/net/tun");
            let file = file.unwrap_or_else(|error| {
                panic!("cannot open /dev/net/tun: {error}; run as root, or chmod it to 0666")
            });
            let flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
            let mut request = libc::ifreq {
                ifr_name: [0; libc::IFNAMSIZ],
                ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: flags },
            };
            for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
                *to = from as libc::c_char;
            }
            // SAFETY: the descriptor is open and the pointer is to a whole `ifreq`, which the
            // kernel reads and fills in during the call only.
            unsafe { tun_set_iff(file.as_raw_fd(), &raw const request) }.expect("TUNSETIFF");
            Self(file)
        });
        made.expect("enter the namespace")
    }

    /// Lets a packet come out of the tunnel.
    pub(crate) fn deliver(&mut self, packet: &[u8]) {
        self.0.write_all(packet).expect("write to the TUN device");
    }
}
