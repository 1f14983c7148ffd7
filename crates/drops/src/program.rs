//! The BPF program at the tracepoint.

use rbpf::assembler::assemble;

use crate::error::{Error, Result};
use crate::kernel::Places;

/// How many bytes of a packet are taken, from its network header on.
pub(crate) const HEADERS: usize = 128;
/// A packet in the queue: the reason, where the packet's network header begins and its bytes end behind the
/// head of its buffer, the name of its device, and its headers.
pub(crate) const ENTRY: usize = NAME_AT + NAME + HEADERS;
pub(crate) const NAME: usize = 16;
pub(crate) const REASON_AT: usize = 0;
pub(crate) const NETWORK_HEADER_AT: usize = 4;
pub(crate) const TAIL_AT: usize = 8;
pub(crate) const NAME_AT: usize = 16;
pub(crate) const HEADERS_AT: usize = NAME_AT + NAME;

/// Helpers, by their numbers in linux/bpf.h.
const MAP_PUSH_ELEM: u32 = 87;
const PROBE_READ_KERNEL: u32 = 113;
/// `BPF_PSEUDO_MAP_FD`: the 64 bits are the descriptor of a map.
const MAP_DESCRIPTOR: u8 = 1;
/// `BPF_LD | BPF_IMM | BPF_DW`.
const LOAD_WIDE: u8 = 0x18;

/// Makes the program for a namespace, by its cookie, and a queue, by its descriptor.
///
/// The tracepoint's arguments are the packet, where in the kernel it is dropped, the reason, and a socket
/// (include/trace/events/skb.h). The namespace is that of the packet's device; of one that has no device
/// yet, or whose field is used for something else by then, that of its socket.
pub(crate) fn program(places: &Places, cookie: u64, queue: i32) -> Result<Vec<u8>> {
    // On the stack: the entry, and below it a place to read pointers to.
    let entry = |at: usize| at as isize - ENTRY as isize;
    let pointer = entry(0) - 8;
    let mut text = Text::default();
    text.line("ldxdw r6, [r1+0]");
    text.line("ldxdw r7, [r1+16]");
    // An entry is all zeros at first: the verifier wants its bytes to be written, those between the fields
    // too. A read that fails writes zeros.
    for at in (0..HEADERS_AT).step_by(8) {
        text.line(&format!("stdw [r10{:+}], 0", entry(at)));
    }
    text.line(&format!("stxw [r10{:+}], r7", entry(REASON_AT)));

    text.read(pointer, 8, 6, places.device);
    text.line(&format!("ldxdw r8, [r10{pointer:+}]"));
    text.line("jeq r8, 0, +SOCKET");
    text.read(entry(NAME_AT), NAME, 8, places.device_name);
    text.follow(pointer, 8, places.device_namespace, places.cookie);
    text.line(&format!("lddw r2, {cookie:#x}"));
    text.line("jeq r1, r2, +OURS");
    // A device of another namespace. No namespace has 0: then there was no device where one was looked for.
    text.line("jne r1, 0, +END");
    text.label("SOCKET");
    text.read(pointer, 8, 6, places.socket);
    text.line(&format!("ldxdw r8, [r10{pointer:+}]"));
    text.line("jeq r8, 0, +END");
    text.follow(pointer, 8, places.socket_namespace, places.cookie);
    text.line(&format!("lddw r2, {cookie:#x}"));
    text.line("jne r1, r2, +END");
    text.label("OURS");

    text.read(entry(NETWORK_HEADER_AT), 2, 6, places.network_header);
    text.read(entry(TAIL_AT), 4, 6, places.tail);
    text.read(pointer, 8, 6, places.head);
    text.line(&format!("ldxdw r8, [r10{pointer:+}]"));
    text.line(&format!("ldxh r1, [r10{:+}]", entry(NETWORK_HEADER_AT)));
    text.line("add r8, r1");
    text.read(entry(HEADERS_AT), HEADERS, 8, 0);
    text.line("lddw r1, QUEUE");
    text.line("mov r2, r10");
    text.line(&format!("add r2, {}", entry(0)));
    // The first ones are those that are kept.
    text.line("mov r3, 0");
    text.line(&format!("call {MAP_PUSH_ELEM}"));
    text.label("END");
    text.line("mov r0, 0");
    text.line("exit");
    text.assembled(queue)
}

/// Assembly with labels, which the assembler does not have: jumps go forward, and are counted in words.
#[derive(Default)]
struct Text {
    lines: Vec<String>,
    labels: Vec<(&'static str, usize)>,
}

impl Text {
    fn line(&mut self, line: &str) {
        self.lines.push(line.to_owned());
    }

    fn label(&mut self, name: &'static str) {
        self.labels.push((name, self.lines.len()));
    }

    /// Copies what the register of that number points to, `offset` bytes further, onto the stack.
    fn read(&mut self, to: isize, length: usize, register: u8, offset: u16) {
        self.line("mov r1, r10");
        self.line(&format!("add r1, {to}"));
        self.line(&format!("mov r2, {length}"));
        self.line(&format!("mov r3, r{register}"));
        self.line(&format!("add r3, {offset}"));
        self.line(&format!("call {PROBE_READ_KERNEL}"));
    }

    /// The cookie of the namespace that the register's structure points to, in r1.
    fn follow(&mut self, pointer: isize, register: u8, namespace: u16, cookie: u16) {
        self.read(pointer, 8, register, namespace);
        self.line(&format!("ldxdw r9, [r10{pointer:+}]"));
        self.read(pointer, 8, 9, cookie);
        self.line(&format!("ldxdw r1, [r10{pointer:+}]"));
    }

    fn assembled(&self, queue: i32) -> Result<Vec<u8>> {
        let words = |line: &String| if line.starts_with("lddw") { 2 } else { 1 };
        let place = |line: usize| self.lines[..line].iter().map(words).sum::<usize>();
        let mut text = String::new();
        for (at, line) in self.lines.iter().enumerate() {
            let mut line = line.replace("QUEUE", &queue.to_string());
            for (name, to) in &self.labels {
                let jump = place(*to).wrapping_sub(place(at) + 1);
                line = line.replace(name, &jump.to_string());
            }
            text += &line;
            text += "\n";
        }
        let mut code = assemble(&text).map_err(Error::Assembler)?;
        // Of two loads of 64 bits the one of the queue is the last: it says that it is no number.
        let at = place(
            self.lines
                .iter()
                .position(|line| line.ends_with("QUEUE"))
                .unwrap_or(0),
        ) * 8;
        debug_assert_eq!(code[at], LOAD_WIDE, "the queue is loaded there");
        code[at + 1] |= MAP_DESCRIPTOR << 4;
        Ok(code)
    }
}
