// Verifies a log proof with Go's own packages: the signed note with its Ed25519 and ML-DSA-44 signatures, and the
// inclusion of a record. Usage: log_verify <Ed25519 vkey> <ML-DSA-44 vkey> <proof file> <record>
package main

import (
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

// cosigner verifies signatures of type 0x06 (c2sp.org/tlog-cosignature).
type cosigner struct {
	name string
	hash uint32
	key  *mldsa.PublicKey
}

func (c cosigner) Name() string    { return c.name }
func (c cosigner) KeyHash() uint32 { return c.hash }

func (c cosigner) Verify(text, signature []byte) bool {
	origin, size, root := checkpoint(string(text))
	message := []byte("subtree/v1\n\x00")
	message = append(message, byte(len(c.name)))
	message = append(message, c.name...)
	message = append(message, signature[:8]...)
	message = append(message, byte(len(origin)))
	message = append(message, origin...)
	message = binary.BigEndian.AppendUint64(message, 0)
	message = binary.BigEndian.AppendUint64(message, uint64(size))
	message = append(message, root[:]...)
	return mldsa.Verify(c.key, message, signature[8:], nil) == nil
}

func newCosigner(vkey string) cosigner {
	parts := strings.SplitN(vkey, "+", 3)
	material := decode(parts[2])
	key, err := mldsa.NewPublicKey(mldsa.MLDSA44(), material[1:])
	check(err)
	id := sha256.Sum256(append([]byte(parts[0]+"\n"), material...))
	return cosigner{parts[0], binary.BigEndian.Uint32(id[:]), key}
}

func checkpoint(text string) (string, int64, tlog.Hash) {
	lines := strings.Split(text, "\n")
	return lines[0], number(lines[1]), tlog.Hash(decode(lines[2]))
}

func decode(text string) []byte {
	data, err := base64.StdEncoding.DecodeString(text)
	check(err)
	return data
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	check(err)
	data, err := os.ReadFile(os.Args[3])
	check(err)
	head, signed, _ := strings.Cut(string(data), "\n\n")
	opened, err := note.Open([]byte(signed), note.VerifierList(verifier, newCosigner(os.Args[2])))
	check(err)
	origin, size, root := checkpoint(opened.Text)
	lines := strings.Split(head, "\n")
	index := number(strings.TrimPrefix(lines[1], "index "))
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		proof = append(proof, tlog.Hash(decode(line)))
	}
	check(tlog.CheckRecord(proof, size, root, index, tlog.RecordHash([]byte(os.Args[4]))))
	fmt.Println(origin, index, size, len(opened.Sigs), "signatures")
}
