// Package screen is for what people read: lines no wider than their terminal, colours where it has them, a line that
// shows what is under way. Whoever wrote what is shown, it is text and steers no terminal.
package screen
