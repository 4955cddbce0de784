package openpgp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"wsprovision/rpm/said"
)

// ArmorMark is where rpm sees a block begin, wherever it stands in the file (rpm 4.11 lib/rpmchecksig.c doImport); so
// do we.
const ArmorMark = "-----BEGIN PGP "

const (
	ArmorBegin = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	ArmorEnd   = "-----END PGP PUBLIC KEY BLOCK-----"
)

// Dearmor returns the contents of every public key block (RFC 4880 section 6.2). Text around blocks is passed over; a
// block of another type, or one that begins in the middle of a line, is an error, because rpm would read it.
func Dearmor(text []byte) ([][]byte, error) {
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, errors.New("armor: a NUL byte")
	}
	var blocks [][]byte
	all := strings.Split(string(text), "\n")
	for i := 0; i < len(all); i++ {
		if !strings.Contains(all[i], ArmorMark) {
			continue
		}
		if line := strings.TrimRight(all[i], " \t\r"); line != ArmorBegin {
			return nil, fmt.Errorf("armor: not a public key block: %s", said.Quote(line))
		}
		block, end, err := armorBlock(all, i+1)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, block)
		i = end
	}
	return blocks, nil
}

// armorBlock decodes from the line after BEGIN and returns the index of the END line.
func armorBlock(all []string, from int) ([]byte, int, error) {
	i := from
	for ; i < len(all) && strings.TrimSpace(all[i]) != ""; i++ {
		if key, _, ok := strings.Cut(all[i], ": "); !ok || strings.Contains(key, " ") ||
			strings.Contains(all[i], "-----") {
			return nil, 0, fmt.Errorf("armor: not a header: %s", said.Quote(all[i]))
		}
	}
	var body strings.Builder
	sum := ""
	for i++; i < len(all); i++ {
		line := strings.TrimRight(all[i], " \t\r")
		switch {
		case line == ArmorEnd:
			block, err := decodeArmor(body.String(), sum)
			return block, i, err
		case sum != "":
			return nil, 0, fmt.Errorf("armor: after the checksum: %s", said.Quote(line))
		case strings.HasPrefix(line, "=") && len(line) == 5:
			sum = line[1:]
		default:
			body.WriteString(line)
		}
	}
	return nil, 0, errors.New("armor: the block does not end")
}

// decodeArmor checks the CRC where there is one (RFC 4880 makes it optional).
func decodeArmor(body, sum string) ([]byte, error) {
	data, err := base64.StdEncoding.Strict().DecodeString(body)
	if err != nil {
		return nil, fmt.Errorf("armor: %w", err)
	}
	if sum == "" {
		return data, nil
	}
	want, err := base64.StdEncoding.Strict().DecodeString(sum)
	if err != nil {
		return nil, fmt.Errorf("armor: checksum: %w", err)
	}
	if got := Crc24(data); len(want) != 3 || got != uint32(want[0])<<16|uint32(want[1])<<8|uint32(want[2]) {
		return nil, fmt.Errorf("armor: checksum is %06x, not %x", got, want)
	}
	return data, nil
}

// Crc24 is RFC 4880 section 6.1.
func Crc24(data []byte) uint32 {
	crc := uint32(0xb704ce)
	for _, b := range data {
		crc ^= uint32(b) << 16
		for range 8 {
			crc <<= 1
			if crc&0x1000000 != 0 {
				crc ^= 0x1864cfb
			}
		}
	}
	return crc & 0xffffff
}
