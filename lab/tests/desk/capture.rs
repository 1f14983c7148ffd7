//! What passes a link of a held lab, as it passes.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use crate::desk::Desk;
use crate::ended::assert_says;
use crate::web_host::{SERVES, ask_web};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pcap_file::DataLink;
use pcap_file::pcapng::{Block, PcapNgReader};

#[test]
fn what_passes_a_link_comes_as_pcapng_while_it_passes() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", SERVES), &[]);
    let mut capture = desk
        .lab(&["capture", "laptop", "eth0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut told = BufReader::new(capture.stderr.take().expect("piped"));
    let mut line = String::new();
    told.read_line(&mut line).expect("it can be read");
    assert_says(&line, &["capturing eth0 of laptop in pair"]);
    ask_web(&desk);
    // Live: what was asked and what was answered can be read before it ends.
    let mut file = PcapNgReader::new(capture.stdout.take().expect("piped")).expect("pcapng");
    let mut heard = [false, false];
    while heard != [true, true] {
        match file.next_block().expect("it goes on").expect("a block") {
            Block::InterfaceDescription(link) => assert_eq!(link.linktype, DataLink::ETHERNET),
            Block::EnhancedPacket(packet) => hear(&packet.data, &mut heard),
            _ => {}
        }
    }
    kill(Pid::from_raw(capture.id().cast_signed()), Signal::SIGINT).expect("it runs");
    assert!(capture.wait().expect("it ends").success());
    let mut rest = String::new();
    told.read_to_string(&mut rest).expect("it can be read");
    assert_says(&rest, &[" packets; none was lost"]);
}

/// Notes "hello" to port 80 and from it, over TCP, IPv4 and Ethernet without options.
fn hear(frame: &[u8], heard: &mut [bool; 2]) {
    let is_tcp = frame.get(12..14) == Some(&[0x08, 0x00]) && frame.get(23) == Some(&6);
    if is_tcp && frame.ends_with(b"hello\n") {
        let port = |at: usize| frame.get(at..at + 2) == Some(&[0, 80]);
        heard[0] |= port(36);
        heard[1] |= port(34);
    }
}

#[test]
fn a_capture_ends_when_nobody_reads_it_and_with_its_lab() {
    let desk = Desk::new();
    desk.up(&desk.pair("pair", ""), &[]);
    let start = |more: &[&str]| {
        let mut capture = desk
            .lab(&[&["capture", "laptop", "eth0"], more].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut told = BufReader::new(capture.stderr.take().expect("piped"));
        told.read_line(&mut String::new()).expect("it can be read");
        (capture, told)
    };
    // Nothing passes the link: it is the reader's end that ends it.
    let (mut closed, _told) = start(&[]);
    drop(closed.stdout.take());
    assert!(closed.wait().expect("it ends").success());
    let (mut filed, _told) = start(&["-w", "eth0.pcapng"]);
    desk.expect(0, &["down"]);
    assert!(filed.wait().expect("it ends").success());
    let file = fs::File::open(desk.path().join("eth0.pcapng")).expect("it was written");
    let mut file = PcapNgReader::new(file).expect("pcapng");
    while let Some(block) = file.next_block() {
        block.expect("it is whole");
    }
}
