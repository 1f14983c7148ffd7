//! What an interface leaves to hardware that a veth pair does not have.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use fps_netlink::LinkName;
use nix::libc;

use crate::error::{Error, Result};

/// `ETHTOOL_STXCSUM` in linux/ethtool.h.
const SET_TX_CHECKSUM: u32 = 0x17;

/// `struct ethtool_value` of linux/ethtool.h.
#[repr(C)]
struct EthtoolValue {
    command: u32,
    data: u32,
}

/// `ethtool -K LINK tx on|off`.
///
/// A veth pair hands packets over as they are: of up to 64 KiB, with a checksum that nobody has made
/// yet. With `off` the kernel makes checksums itself, and without checksums of the device also
/// splits what is longer than the MTU (`netdev_fix_features` in net/core/dev.c), so that a packet
/// socket at the other end sees frames as they would be on a cable.
///
/// The socket is any of the interface's namespace.
pub fn set_checksum_offload(socket: &impl AsFd, link: &LinkName, on: bool) -> Result<()> {
    let mut value = EthtoolValue {
        command: SET_TX_CHECKSUM,
        data: on.into(),
    };
    let mut name = [0; libc::IFNAMSIZ];
    for (place, byte) in name.iter_mut().zip(link.as_str().bytes()) {
        *place = byte.cast_signed();
    }
    let mut request = libc::ifreq {
        ifr_name: name,
        ifr_ifru: libc::__c_anonymous_ifr_ifru {
            ifru_data: (&raw mut value).cast(),
        },
    };
    // SAFETY: the request and the value that it points to outlive the call, and have the layout
    // that SIOCETHTOOL with this command asks for.
    let result = unsafe {
        libc::ioctl(
            socket.as_fd().as_raw_fd(),
            libc::SIOCETHTOOL,
            &raw mut request,
        )
    };
    match result {
        0 => Ok(()),
        _ => {
            let switch = if on { "on" } else { "off" };
            let operation = format!("ethtool -K {link} tx {switch}");
            Err(Error::system(operation, io::Error::last_os_error()))
        }
    }
}
