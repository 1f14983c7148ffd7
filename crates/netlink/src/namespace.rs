//! Which network namespace this is.

use std::io;
use std::mem::size_of;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;

use nix::errno::Errno;
use nix::libc;

/// In asm-generic/socket.h; libc does not have it yet.
const SO_NETNS_COOKIE: libc::c_int = 71;

/// A name for the network namespace of the calling thread.
///
/// Its cookie is told since Linux 5.14. The inode, by which namespaces are told apart otherwise, is
/// used anew once a namespace is gone.
pub fn namespace_name() -> io::Result<String> {
    match cookie(&UnixDatagram::unbound()?) {
        Ok(cookie) => Ok(format!("net-{cookie}")),
        Err(_) => {
            let namespace = std::fs::metadata("/proc/thread-self/ns/net")?;
            Ok(format!("net-inode-{}", namespace.ino()))
        }
    }
}

/// The cookie of a socket's network namespace.
fn cookie(socket: &UnixDatagram) -> nix::Result<u64> {
    let mut cookie = 0_u64;
    let mut length = libc::socklen_t::try_from(size_of::<u64>()).expect("8");
    // SAFETY: the pointers are to a u64 and to its length, both of which live on.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    Errno::result(outcome).map(|_| cookie)
}

#[cfg(test)]
mod tests {
    use fps_netns::Namespace;
    use fps_netns::testing::with_namespaces;

    use super::namespace_name;

    #[test]
    fn each_namespace_has_a_name_of_its_own() {
        with_namespaces(
            "namespace::tests::each_namespace_has_a_name_of_its_own",
            async || {
                let one = Namespace::create().unwrap();
                let name_of = |it: &Namespace| it.within(namespace_name).unwrap().unwrap();
                let known = name_of(&one);
                assert!(known.starts_with("net-"), "{known}");
                assert_eq!(name_of(&one), known);
                assert_ne!(namespace_name().unwrap(), known);
            },
        );
    }
}
