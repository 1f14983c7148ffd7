//! What the tests need of the machine. A test that does not get it fails, and says what to do.

use std::fs::OpenOptions;

/// Fails the test where a tunnel's programs could not open a TUN device.
///
/// Namespaces need no check of their own: a lab that cannot be built says what to do.
pub(crate) fn require_tun() {
    let device = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun");
    if let Err(error) = device {
        panic!(
            "open /dev/net/tun: {error}. Load the module (`modprobe tun`); let ordinary users \
             open the device (`chmod 0666 /dev/net/tun`), or run the tests as root (`sudo cargo \
             test`); in a container, start it with `--device /dev/net/tun`."
        );
    }
}
