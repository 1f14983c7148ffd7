//! What programs say.

use crate::api::IntoValue;
use crate::api::phrase::{lasting, named, phrases, within};

phrases! {
    /// A program has printed a line.
    Says "says" as an_expectation {
        /// A line of a program's output holds a text, since the program was started.
        fn says(who: &str => "who", text: &str => "text");
    }

    /// A command prints a text.
    Prints "prints" as an_expectation {
        /// A command on a host prints this text and no other, on both standard streams together.
        fn prints(on: &str => "on", command: impl IntoValue => "command", text: &str => "text");
        /// The exit code that it must have; 0 where nothing is said.
        fn exit(code: u8) => "exit" = code;
    }

    /// A program prints so many lines, since the step began.
    Log "log" as an_expectation {
        /// How many lines a program prints, as the methods say.
        fn log(who: &str => "who");
        /// Lines that hold this text count.
        fn text(text: &str) => "text" = text;
        /// Lines that match this regular expression count.
        fn matches(expression: &str) => "matches" = expression;
        /// So many or more.
        fn at_least(number: u32) => "at-least" = number;
        /// So many or fewer.
        fn at_most(number: u32) => "at-most" = number;
        /// So many.
        fn exactly(number: u32) => "exactly" = number;
    }

    /// An FPS program tells a status.
    Status "status" as an_expectation {
        /// A field of the status of `"client"` or `"server"`, such as `"sessions.carriers_current"`.
        fn status(who: &str => "who", field: &str => "field");
        /// It is this.
        fn is(value: impl IntoValue) => "is" = value;
        /// It is so much or more.
        fn at_least(number: u32) => "at-least" = number;
        /// It is so much or less.
        fn at_most(number: u32) => "at-most" = number;
        /// It is so much.
        fn exactly(number: u32) => "exactly" = number;
        /// It matches this regular expression.
        fn matches(expression: &str) => "matches" = expression;
    }
}

within!(Says, Prints, Log, Status);
lasting!(Log);
named!("name": Says, Prints, Log, Status);
