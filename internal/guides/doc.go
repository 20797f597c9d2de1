// Package guides has the tests of the guides in templates/guides.
//
// Most guides are followed to the letter. Their blocks mean what they mean to a reader:
//
//   - terraform, csv: write the file that the paragraph before the block names last
//   - diff: change that file so; the lines with a minus, and those with a blank, must be there
//   - sh: run these commands, in a shell that keeps its folder and its variables; ID is the last id that was shown; a
//     server goes on in the background
//   - text: the last command has said this, with dots for what is left out; where it has "Error:" in it, and follows
//     the commands, these must have failed
//
// A guide that begins with "the four files of getting started" begins with examples/guides/company. A section with
// "(Terraform 1.14 or later)" in its heading is followed where Terraform is that new.
package guides
