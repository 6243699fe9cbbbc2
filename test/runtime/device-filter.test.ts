/** The BPF program of device rules, run by an interpreter of the few instructions it is made of. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deviceFilter } from '../../src/runtime/parts/device-filter.ts'
import type { DeviceRule } from '../../src/runtime/spec.ts'

type Question = readonly ['b' | 'c', number, number, string]

const rule = (allow: boolean, text: string): DeviceRule => {
  const [type, numbers, access] = text.split(' ') as ['a' | 'b' | 'c', string, string]
  const [major, minor] = numbers.split(':').map(part => (part === '*' ? '*' : Number(part))) as [number, number]
  return { allow, type, major, minor, access }
}

/** What the kernel would do, instruction by instruction. */
function ask(program: Buffer, [type, major, minor, access]: Question): boolean {
  const wanted = [...access].reduce((sum, letter) => sum | { m: 1, r: 2, w: 4 }[letter as 'm' | 'r' | 'w'], 0)
  const context = [(wanted << 16) | (type === 'b' ? 1 : 2), major, minor]
  const registers = Array.from({ length: 11 }, () => 0)
  for (let at = 0, steps = 0; ; at++, steps++) {
    assert.ok(steps < 4096 && at * 8 < program.length, 'it ends')
    const [code, both] = [program[at * 8]!, program[at * 8 + 1]!]
    const [to, from] = [both & 15, both >> 4]
    const [offset, number] = [program.readInt16LE(at * 8 + 2), program.readInt32LE(at * 8 + 4)]
    if (code === 0x61) registers[to] = context[offset / 4]!
    else if (code === 0xbf) registers[to] = registers[from]!
    else if (code === 0xb7) registers[to] = number
    else if (code === 0x57) registers[to] = registers[to]! & number
    else if (code === 0x77) registers[to] = registers[to]! >>> number
    else if (code === 0x55) at += registers[to] !== number ? offset : 0
    else if (code === 0x15) at += registers[to] === number ? offset : 0
    else if (code === 0x95) return registers[0] === 1
    else assert.fail(`unknown instruction ${code}`)
  }
}

describe('deviceFilter()', () => {
  const allows = (rules: readonly DeviceRule[], question: Question) => ask(deviceFilter(rules), question)

  it('refuses everything when nothing is allowed', () => {
    for (const access of ['r', 'w', 'm', 'rwm']) assert.equal(allows([], ['c', 1, 3, access]), false)
  })

  it('allows the device of a rule and no other', () => {
    const rules = [rule(true, 'c 1:3 rwm')]
    assert.equal(allows(rules, ['c', 1, 3, 'rw']), true)
    assert.equal(allows(rules, ['b', 1, 3, 'rw']), false)
    assert.equal(allows(rules, ['c', 1, 4, 'r']), false)
    assert.equal(allows(rules, ['c', 2, 3, 'r']), false)
  })

  it('allows no more access than a rule gives', () => {
    const rules = [rule(true, 'b 7:* r')]
    assert.equal(allows(rules, ['b', 7, 12, 'r']), true)
    assert.equal(allows(rules, ['b', 7, 12, 'w']), false)
    assert.equal(allows(rules, ['b', 7, 12, 'rw']), false)
  })

  it('takes a star for any number, and type a for both kinds', () => {
    assert.equal(allows([rule(true, 'c *:* m')], ['c', 200, 1_000_000, 'm']), true)
    assert.equal(allows([rule(true, 'c *:* m')], ['c', 200, 1_000_000, 'r']), false)
    assert.equal(allows([rule(true, 'a *:* rwm')], ['b', 8, 0, 'rwm']), true)
  })

  it('lets the last rule that is about a device decide', () => {
    const rules = [rule(true, 'c *:* rwm'), rule(false, 'c 10:229 w'), rule(true, 'c 10:1 w')]
    assert.equal(allows(rules, ['c', 10, 229, 'r']), true)
    assert.equal(allows(rules, ['c', 10, 229, 'rw']), false, 'any of what is refused')
    assert.equal(allows([...rules, rule(true, 'c 10:229 rwm')], ['c', 10, 229, 'rw']), true)
  })

  it('is what the kernel takes: whole instructions, at most 4,096, ending in an exit', () => {
    const program = deviceFilter(Array.from({ length: 300 }, (_, minor) => rule(true, `c 1:${minor} rw`)))
    assert.equal(program.length % 8, 0)
    assert.ok(program.length / 8 <= 4096)
    assert.equal(program.at(-8), 0x95)
  })
})
