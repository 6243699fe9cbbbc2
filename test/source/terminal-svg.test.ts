import assert from 'node:assert/strict'
import { test } from 'node:test'
import { terminalSvg } from '../../.ci/pictures/terminal-svg.ts'

test('a run is a picture of its text, with its colours, and nothing in it is markup or a control', () => {
  const svg = terminalSvg(
    [
      { command: 'a "b"', output: '\x1b[32mgood\x1b[39m <script>&\x07\x1b[2K\n\n\x1b[1m\x1b[2mx\x1b[22my\x1b[0m\n' },
      { command: 'c', output: `${'z'.repeat(50)}\n` },
    ],
    { columns: 20 },
  )
  const texts = [...svg.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(match => match[1])
  assert.deepEqual(texts, [
    '<tspan style="fill:#7ee787">$</tspan> <tspan class="b">a &quot;b&quot;</tspan>',
    '<tspan style="fill:#7ee787">good</tspan> &lt;script>&amp;',
    '<tspan class="b d">x</tspan>y',
    '<tspan style="fill:#7ee787">$</tspan> <tspan class="b">c</tspan>',
    'z'.repeat(20),
  ])
  assert.match(svg, /^<svg [^>]*width="209" height="180"/)
})
