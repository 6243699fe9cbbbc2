/** Which programs of this system are taken into the virtual machine, whose libraries are of another. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runsInMachine } from './disk.ts'

const needs = (library: string) => ` 0x0000000000000001 (NEEDED)             Shared library: [${library}]\n`
const symbols = (...versions: readonly string[]) =>
  versions.map(version => `  0x0010:   Name: ${version}  Flags: none  Version: 4\n`).join('')

test('a program runs in the machine when it needs no library, or of the C library what the machine has', () => {
  assert.ok(runsInMachine('There is no dynamic section in this file.\n'))
  assert.ok(runsInMachine(needs('libc.so.6') + symbols('GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBC_2.36')))
  assert.ok(!runsInMachine(needs('libc.so.6') + symbols('GLIBC_2.34', 'GLIBC_2.38')))
  assert.ok(!runsInMachine(needs('libc.so.6') + needs('libsystemd.so.0') + symbols('GLIBC_2.34')))
})
