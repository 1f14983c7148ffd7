//! The least that a tunnel by TCP can do: whole packets of a TUN behind their length, in the clear, and
//! the same back. What this costs is the kernel's.

use std::io;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tun_rs::{AsyncDevice, DeviceBuilder};

use crate::hosts::{FAR, Hosts, ip};

/// Its address at the far host.
pub(crate) const AT_FAR: &str = "10.68.0.1";
const AT_NEAR: &str = "10.68.0.2";
const PORT: u16 = 9999;
/// A packet behind its `virtio_net_hdr`.
const LONGEST: usize = 10 + 65535;
const HEAD: usize = 4;

/// Starts both ends, which run as long as the benchmark.
pub(crate) fn start(hosts: &Hosts) {
    let ends = [
        (&hosts.far, "clrf0", AT_FAR),
        (&hosts.near, "clrn0", AT_NEAR),
    ];
    for (host, link, address) in ends {
        let (ready, is_ready) = channel();
        // A thread stays where it was made.
        let thread = || std::thread::spawn(move || panic!("{link}: {:?}", run(link, ready)));
        let _ = host.within(thread).expect("enter");
        is_ready.recv().expect("it starts");
        ip(host, &format!("addr add {address}/30 dev {link}"));
        ip(host, &format!("link set {link} up"));
    }
}

fn run(link: &str, ready: Sender<()>) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let device = DeviceBuilder::new().name(link).mtu(1400).offload(true);
        let device = Rc::new(device.build_async()?);
        let stream = match link {
            "clrf0" => {
                let listener = TcpListener::bind((FAR, PORT)).await?;
                ready.send(()).expect("it is waited for");
                listener.accept().await?.0
            }
            _ => {
                ready.send(()).expect("it is waited for");
                TcpStream::connect((FAR, PORT)).await?
            }
        };
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        tokio::try_join!(outward(&device, writer), inward(&device, reader))?;
        Ok(())
    })
}

async fn outward(device: &AsyncDevice, mut link: OwnedWriteHalf) -> io::Result<()> {
    let mut buffer = vec![0; HEAD + LONGEST];
    loop {
        let length = device.recv(&mut buffer[HEAD..]).await?;
        let head = u32::try_from(length).expect("short").to_be_bytes();
        buffer[..HEAD].copy_from_slice(&head);
        link.write_all(&buffer[..HEAD + length]).await?;
    }
}

async fn inward(device: &AsyncDevice, mut link: OwnedReadHalf) -> io::Result<()> {
    let mut buffer = vec![0; 4 * LONGEST];
    let (mut begin, mut end) = (0, 0);
    loop {
        buffer.copy_within(begin..end, 0);
        (begin, end) = (0, end - begin);
        let read = link.read(&mut buffer[end..]).await?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        end += read;
        while let Some((head, rest)) = buffer[begin..end].split_first_chunk::<HEAD>() {
            let length = u32::from_be_bytes(*head) as usize;
            let Some(packet) = rest.get(..length) else {
                break;
            };
            // One that comes before the link is up is refused.
            let _ = device.send(packet).await;
            begin += HEAD + length;
        }
    }
}
