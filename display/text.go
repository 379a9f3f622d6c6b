package display

// A Text is the characters of a text mode. It has no rows in other modes.
type Text struct {
	Columns, Rows int
	// Cells are the characters, row by row.
	Cells []Cell
	// Cursor is the index of the cell with the cursor, -1 while there is none.
	Cursor int
	// Palette has the colours that Ink and Paper count, as red, green and blue.
	Palette [16][3]uint8
}

// A Cell is one character in code page 437 and its colours.
type Cell struct{ Code, Ink, Paper uint8 }

// Row is the cells of row y.
func (t *Text) Row(y int) []Cell { return t.Cells[y*t.Columns:][:t.Columns] }

// String is a row as text.
func (t *Text) String(y int) string {
	var s []rune
	for _, c := range t.Row(y) {
		s = append(s, Rune(c.Code))
	}
	return string(s)
}

// Rune is the character of code page 437 as a screen shows it.
func Rune(code uint8) rune {
	switch {
	case code < 0x20:
		return controls[code]
	case code == 0x7f:
		return '⌂'
	case code < 0x80:
		return rune(code)
	}
	return upper[code-0x80]
}

var (
	controls = [32]rune([]rune(" ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"))
	upper    = [128]rune([]rune("ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»" +
		"░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀" +
		"αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ "))
)
