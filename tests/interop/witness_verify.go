// Verifies a cosigned checkpoint with Go's own packages: the log's Ed25519 note signature, and the cosignatures of a witness
// (c2sp.org/tlog-cosignature) with Ed25519 and ML-DSA-44.
// Usage: witness_verify <log vkey> <witness Ed25519 vkey> <witness ML-DSA-44 vkey> <note file>
package main

import (
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A cosigner verifies what its function accepts: text, time and signature.
type cosigner struct {
	name   string
	hash   uint32
	accept func(text []byte, time uint64, signature []byte) bool
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Verify(text, signature []byte) bool {
	if len(signature) < 8 {
		return false
	}
	return c.accept(text, binary.BigEndian.Uint64(signature), signature[8:])
}

func newCosigner(vkey string) cosigner {
	name, rest, _ := strings.Cut(vkey, "+")
	_, encoded, _ := strings.Cut(rest, "+")
	material := decode(encoded)
	id := sha256.Sum256(append([]byte(name+"\n"), material...))
	found := cosigner{name: name, hash: binary.BigEndian.Uint32(id[:])}
	switch material[0] {
	case 0x04:
		found.accept = func(text []byte, time uint64, signature []byte) bool {
			message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, text)
			return ed25519.Verify(ed25519.PublicKey(material[1:]), []byte(message), signature)
		}
	case 0x06:
		key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), material[1:])
		check(err)
		found.accept = func(text []byte, time uint64, signature []byte) bool {
			origin, size, root := checkpoint(string(text))
			message := append([]byte("subtree/v1\n\x00"), byte(len(name)))
			message = append(message, name...)
			message = binary.BigEndian.AppendUint64(message, time)
			message = append(message, byte(len(origin)))
			message = append(message, origin...)
			message = binary.BigEndian.AppendUint64(message, 0)
			message = binary.BigEndian.AppendUint64(message, uint64(size))
			message = append(message, root[:]...)
			return mldsa.Verify(key, message, signature, nil) == nil
		}
	}
	return found
}

func checkpoint(text string) (string, int64, tlog.Hash) {
	lines := strings.Split(text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	return lines[0], size, tlog.Hash(decode(lines[2]))
}

func decode(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	check(err)
	return data
}

func check(err error) {
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func main() {
	log, err := note.NewVerifier(os.Args[1])
	check(err)
	data, err := os.ReadFile(os.Args[4])
	check(err)
	verifiers := note.VerifierList(log, newCosigner(os.Args[2]), newCosigner(os.Args[3]))
	opened, err := note.Open(data, verifiers)
	check(err)
	origin, size, _ := checkpoint(opened.Text)
	fmt.Println(origin, size, len(opened.Sigs), "signatures")
}
