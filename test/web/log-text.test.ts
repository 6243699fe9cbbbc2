import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { piecesOf, plainText } from '../../src/web/pages/log-text.ts'

const shown = (line: string) => piecesOf(line).map(({ text, classes }) => (classes === '' ? text : [classes, text]))

describe('piecesOf()', () => {
  test('leaves text as it is, markup included', () => {
    assert.deepEqual(shown('<img src=x onerror=alert(1)> & "plain"\ttab'), [
      '<img src=x onerror=alert(1)> & "plain"\ttab',
    ])
  })

  test('takes colour and weight of SGR', () => {
    assert.deepEqual(shown('\x1b[31merror\x1b[0m: \x1b[1;4mbold\x1b[22m rest'), [
      ['fg-1', 'error'],
      ': ',
      ['bold underline', 'bold'],
      ['underline', ' rest'],
    ])
    assert.deepEqual(shown('\x1b[92mgreen\x1b[39mplain'), [['fg-2', 'green'], 'plain'])
  })

  test('takes 256 and true colours for the nearest of eight, or for none', () => {
    assert.deepEqual(shown('\x1b[38;5;196mred\x1b[38;5;240mgrey\x1b[38;2;20;200;30mgreen\x1b[38;2;9;9;9mdark'), [
      ['fg-1', 'red'],
      'grey',
      ['fg-2', 'green'],
      'dark',
    ])
  })

  test('does nothing that hides text: conceal and backgrounds are left out', () => {
    assert.deepEqual(shown('\x1b[8mhidden\x1b[30;40mdark\x1b[38;5;1;48;5;1mboth'), [
      'hidden',
      ['fg-0', 'dark'],
      ['fg-1', 'both'],
    ])
  })

  test('shows all other control characters by their names', () => {
    assert.equal(plainText('safe\rEVIL\b\b\x1b[2K\x1b]8;;http://x\x07link\x7f'), 'safe␍EVIL␈␈␛[2K␛]8;;http://x␇link␡')
    assert.equal(plainText('a\u202Eb\u200Bc\u{E0041}d\u2028e\x9bf'), 'a‹U+202E›b‹U+200B›c‹U+E0041›d‹U+2028›e‹U+009B›f')
  })

  test('loses no character, whatever comes', () => {
    let seed = 7
    const random = (most: number) => (seed = (seed * 48271) % 2147483647) % most
    for (let round = 0; round < 500; round++) {
      const line = Array.from({ length: random(40) }, () => {
        const pick = random(6)
        if (pick === 0) return `\x1b[${random(60)};${random(300)}m`
        return String.fromCodePoint(pick === 1 ? random(0x20) : pick === 2 ? 0x2000 + random(0x70) : 0x41 + random(50))
      }).join('')
      const without = line.replace(/\x1b\[[\d;:]*m/g, '')
      const count = (text: string) => [...text].length
      assert.equal(count(plainText(line).replace(/‹U\+[0-9A-F]+›/g, 'x')), count(without))
    }
  })
})
