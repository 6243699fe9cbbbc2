import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { stripVTControlCharacters, styleText } from 'node:util'
import stringWidth from 'string-width'
import { draw } from '../../src/ui/draw.ts'
import { chosenRow, empty, type Key, press, rowsOf, type State, stackWords } from '../../src/ui/model.ts'
import type { Condition, ReplicaRow, StackRow } from '../../src/view/stacks.ts'

const replica = (service: string, condition: Condition, more: Partial<ReplicaRow> = {}): ReplicaRow => ({
  id: service,
  name: `shop-${service}-1`,
  service,
  number: 1,
  oneOff: false,
  condition,
  status: 'Up 4 seconds',
  exitCode: undefined,
  health: undefined,
  image: 'a',
  created: 0,
  ports: [],
  ...more,
})
const stack = (name: string, services: Readonly<Record<string, Condition>>): StackRow => ({
  name,
  directory: `/srv/${name}`,
  files: [`/srv/${name}/compose.yaml`],
  condition: Object.values(services)[0]!,
  services: Object.entries(services).map(([service, condition]) => ({
    name: service,
    condition,
    replicas: [replica(service, condition)],
    needs: [],
  })),
  urls: [],
})
const state: State = {
  ...empty,
  stacks: [stack('blog', { db: 'failed' }), stack('shop', { cache: 'stopped', web: 'running' })],
}
const key = (text: string, name: string | undefined = undefined): Key => ({ name, text, ctrl: false })
const keys = (before: State, ...pressed: readonly Key[]) =>
  pressed.reduce((now, each) => press(now, each).state, before)
const plain = { width: 80, height: 24, tint: (_: string, text: string) => text, host: 'unix:///run/e.sock' }

describe('the model of the terminal view', () => {
  test('lists stacks, each with its services, and chooses the first', () => {
    assert.deepEqual(
      rowsOf(state).map(row => row.key),
      ['blog', 'blog/db', 'shop', 'shop/cache', 'shop/web'],
    )
    assert.equal(chosenRow(state)?.key, 'blog')
  })

  test('moves by arrows, letters and pages, and stays within the list', () => {
    assert.equal(keys(state, key('', 'down'), key('j')).chosen, 'shop')
    assert.equal(keys(state, key('', 'end'), key('j')).chosen, 'shop/web')
    assert.equal(keys(state, key('', 'end'), key('', 'pageup')).chosen, 'blog')
    assert.equal(keys(state, key('k')).chosen, 'blog')
  })

  test('keeps what is chosen while stacks come and go, and chooses the first when it is gone', () => {
    const chosen = keys(state, key('', 'end'))
    assert.equal(chosenRow({ ...chosen, stacks: [stack('a', { x: 'running' }), ...chosen.stacks] })?.key, 'shop/web')
    assert.equal(chosenRow({ ...chosen, stacks: [state.stacks[0]!] })?.key, 'blog')
  })

  test('filters by what is typed, of stacks and services; Esc shows all', () => {
    const filtered = keys(state, key('/'), key('W'), key('e'))
    assert.equal(filtered.mode, 'filter')
    assert.deepEqual(
      rowsOf(filtered).map(row => row.key),
      ['shop', 'shop/web'],
    )
    // letters are no keys while it is typed
    assert.equal(keys(filtered, key('q')).filter, 'Weq')
    assert.equal(keys(filtered, key('', 'backspace')).filter, 'W')
    assert.equal(keys(filtered, key('', 'return')).mode, 'list')
    assert.deepEqual(keys(filtered, key('', 'return'), key('', 'escape')).filter, '')
  })

  test('asks before it stops or takes down, and does it on "y" alone', () => {
    const asking = press(keys(state, key('', 'end')), key('S'))
    assert.equal(asking.effect, undefined)
    assert.equal(asking.state.question?.text, 'Stop web?')
    assert.equal(press(asking.state, key('n')).effect, undefined)
    const done = press(asking.state, key('y'))
    assert.equal(done.effect?.kind === 'turn' && done.effect.verb, 'stop')
    assert.equal(done.state.mode, 'list')
    const down = press(press(state, key('D')).state, key('y')).effect
    assert.deepEqual(down?.kind === 'show' && down.words, ['down'])
  })

  test('has words of ours for what is chosen', () => {
    const web = keys(state, key('', 'end'))
    const words = (before: State, letter: string) => {
      const { effect } = press(before, key(letter))
      return effect?.kind === 'show' ? effect.words.join(' ') : effect?.kind === 'turn' ? effect.verb : effect
    }
    assert.equal(words(web, 'l'), 'logs --follow --tail 200 web')
    assert.equal(words(state, 'l'), 'logs --follow --tail 200')
    assert.equal(words(web, 'e'), 'exec web sh')
    assert.equal(words(web, 'p'), 'plan web')
    assert.equal(words(web, 'u'), 'up --detach web')
    assert.equal(words(web, 'r'), 'restart')
    assert.deepEqual(stackWords(chosenRow(web)!), [
      ...['--project-name', 'shop', '--project-directory', '/srv/shop', '--file', '/srv/shop/compose.yaml'],
    ])
  })

  test('says why there is no shell: of a stack, and in what does not run', () => {
    assert.match(press(state, key('e')).state.message, /needs a service/)
    assert.match(press(keys(state, key('', 'end'), key('k')), key('e')).state.message, /cache does not run/)
  })

  test('ends by q and ^C, wherever it is', () => {
    assert.equal(press(state, key('q')).effect?.kind, 'quit')
    const typing = keys(state, key('/'))
    assert.equal(press(typing, { name: 'c', text: '\x03', ctrl: true }).effect?.kind, 'quit')
  })
})

describe('the drawing of the terminal view', () => {
  const busy: State = {
    ...keys(state, key('', 'end')),
    stacks: [
      ...state.stacks,
      stack('日本語の名前がとても長いスタックの名前です-and-more-of-it', { [`x${'y'.repeat(200)}`]: 'running' }),
      stack('evil\x1b[2J', { a: 'restarting' }),
    ],
    usage: new Map([['web', { cpu: 12.34, memory: 64 * 1024 * 1024 }]]),
  }

  for (const [width, height] of [
    [80, 24],
    [40, 10],
    [200, 50],
    [20, 5],
  ] as const)
    for (const mode of ['list', 'help', 'filter'] as const)
      test(`fits ${width}×${height}: ${mode}`, () => {
        const tint = (_: string, text: string) => styleText('green', text, { validateStream: false })
        const lines = draw({ ...busy, mode }, { ...plain, width, height, tint })
        assert.equal(lines.length, height)
        for (const line of lines) {
          assert.ok(stringWidth(line) <= width, JSON.stringify(line))
          assert.ok(!stripVTControlCharacters(line).includes('\x1b'))
        }
      })

  test('says in words what colours say, marks what is chosen, and shows what it uses', () => {
    const lines = draw(busy, plain)
    assert.match(lines[0]!, /^ tscompose {2}4 stacks at unix:\/\/\/run\/e\.sock/)
    assert.ok(lines.some(line => /^ {3}db +failed +0\/1/.test(line)))
    assert.ok(lines.some(line => /^> {2}web +running +1\/1 +12\.3% +64MiB/.test(line)))
    assert.match(lines.at(-2)!, /shop-web-1: Up 4 seconds/)
    assert.ok(!lines.join('').includes('\x1b'))
  })

  test('keeps what is chosen on the screen however long the list is', () => {
    const many = {
      ...empty,
      stacks: Array.from({ length: 60 }, (_, i) => stack(`s${String(i).padStart(2, '0')}`, { a: 'running' })),
    }
    for (const chosen of ['s00', 's30/a', 's59/a'])
      assert.equal(draw({ ...many, chosen }, plain).filter(line => line.startsWith('>')).length, 1)
  })

  const printed: State['log'] = Array.from({ length: 40 }, (_, i) => ({
    who: i % 2 ? 'web-1' : 'cache-1',
    text: `line ${i}`,
    isNote: false,
  }))
  const paneOf = (lines: readonly string[]) => lines.slice(lines.findIndex(line => line.startsWith('──')))

  test('has the newest lines of the log below the list, with whose they are', () => {
    const lines = draw({ ...state, log: printed }, plain)
    assert.equal(lines.length, 24)
    const [title, ...pane] = paneOf(lines)
    assert.match(title!, /^── logs of blog ─+$/)
    // the list is short, and the pane has what that leaves
    assert.equal(pane.length, 24 - 2 - 6 - 1)
    assert.equal(pane.at(-3), ' web-1   │ line 39')
    assert.equal(pane.at(-4), ' cache-1 │ line 38')
  })

  test('goes back in the log and forward again by [ and ], and closes it by Enter', () => {
    const back = keys({ ...state, log: printed }, key('['), key('['))
    assert.equal(back.logBack, 10)
    const pane = paneOf(draw(back, plain))
    assert.match(pane[0]!, /10 lines back/)
    assert.equal(pane.at(-3), ' web-1   │ line 29')
    assert.equal(keys(back, key(']'), key(']'), key(']')).logBack, 0)
    assert.equal(keys(back, ...Array.from({ length: 30 }, () => key('['))).logBack, 39)
    // another row has another log
    assert.equal(keys(back, key('j')).logBack, 0)
    const closed = keys(back, key('\r', 'return'))
    assert.ok(!draw(closed, plain).some(line => line.startsWith('──')))
    assert.ok(!draw({ ...state, log: printed }, { ...plain, height: 12 }).some(line => line.startsWith('──')))
  })

  test('shows what a log has in it as text: no sequence of it reaches the terminal', () => {
    const log = [{ who: 'web-1', text: '\x1b[31mred\x1b[0m \x1b[2Jgone\ttab', isNote: false }]
    const lines = draw({ ...state, log }, plain)
    assert.ok(lines.includes(' web-1 │ red \\x1b[2Jgone    tab'), lines.join('\n'))
  })

  test('says what to do when there is nothing', () => {
    assert.ok(draw(empty, plain).some(line => line.includes('No stacks yet')))
    assert.ok(draw({ ...state, filter: 'zzz' }, plain).some(line => line.includes('Nothing has that name')))
  })
})
