//! Who is told of plays as they go on.

use super::Line;

/// Listens to plays, of which several go on at once.
pub trait Audience: Sync {
    /// Something is said of a play.
    fn line(&self, line: Line);

    /// A play begins.
    fn begins(&self, play: &str) {
        // Not everybody wants to know.
        let _ = play;
    }

    /// A play has ended: well, where everything held, or where the sabotage bit.
    fn ends(&self, play: &str, well: bool) {
        let _ = (play, well);
    }
}

impl<F: Fn(Line) + Sync> Audience for F {
    fn line(&self, line: Line) {
        self(line);
    }
}
