import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EngineName } from '../../../src/engine/base/engine-name.ts'
import { DockerUser, dockerUserRules, forsaken } from '../../../src/engine/networks/docker-user.ts'
import { Ruleset } from '../../../src/engine/networks/ruleset.ts'

describe('DockerUser', () => {
  const name = new EngineName('/run/tscompose', '/run/tscompose')
  const over = (
    runNft: (commands: string) => string,
    firewallGeneration = () => 1,
    say = (_line: string) => {},
    processes = ['tsc1a2b-nursery'],
  ) =>
    new DockerUser(name, {
      rules: new Ruleset({ runNft, firewallGeneration, firewallDigest: () => undefined }),
      say,
      look: () => ({ links: [], processes }),
    })
  const listed = (rules: readonly string[]) =>
    `table ip filter {\n\tchain DOCKER-USER { # handle 12\n${rules.map((rule, i) => `\t\t${rule.replace('counter', `counter packets ${i} bytes 7`)} # handle ${40 + i}`).join('\n')}\n\t}\n}\n`

  test('keeps packets to Docker’s bridges under Docker’s rules', async () => {
    const said: string[] = []
    await over(commands => {
      said.push(commands)
      return listed([])
    }).allow(['tsc-0123', 'mine'], false)
    assert.deepEqual(said[0], 'list chain ip filter DOCKER-USER')
    // inserted from the last to the first
    assert.deepEqual(said[1]!.split('\n').slice(-4), [
      'insert rule ip filter DOCKER-USER iifname "mine" counter accept comment "tscompose"',
      'insert rule ip filter DOCKER-USER iifname "mine" oifname "br-*" counter return comment "tscompose"',
      'insert rule ip filter DOCKER-USER iifname "mine" oifname "docker*" counter return comment "tscompose"',
      'insert rule ip filter DOCKER-USER oifname "mine" counter accept comment "tscompose"',
    ])
  })

  test('leaves what holds already, and replaces its own rules only', async () => {
    const wanted = dockerUserRules(['tsc-*'], 'tscompose')
    const run = async (present: readonly string[]) => {
      const said: string[] = []
      await over(commands => {
        said.push(commands)
        return listed(present)
      }).allow(['tsc-0123'], false)
      return said.slice(1).join('\n')
    }
    assert.equal(await run(wanted), '')
    const others = dockerUserRules(['tsc1a2b-*'], 'tscompose_1a2b3c4d')
    const changed = await run([...others, wanted[0]!])
    assert.deepEqual(
      changed.split('\n').filter(line => line.startsWith('delete')),
      [`delete rule ip filter DOCKER-USER handle ${40 + others.length}`],
    )
  })

  test('takes away what engines have left of whom nothing is there any more', async () => {
    const listing = listed([
      ...dockerUserRules(['tsc1a2b-*'], 'tscompose_1a2b3c4d'),
      ...dockerUserRules(['tsc5e6f-*', 'mine'], 'tscompose_5e6f7081'),
      ...dockerUserRules(['tsc-*'], 'tscompose'),
      ...dockerUserRules(['x'], 'somebody'),
    ])
    const all = (from: number, count: number) => Array.from({ length: count }, (_, i) => `${40 + from + i}`)
    const left = (links: readonly string[], processes: readonly string[]) => forsaken(listing, { links, processes })
    assert.deepEqual(left(['eth0'], ['sh']), all(0, 16))
    assert.deepEqual(left(['tsc1a2b-0123'], ['tsc-nursery']), all(4, 8))
    assert.deepEqual(left(['mine'], ['tsc1a2b-nursery', 'tsc-monitor']), [])
    const said: string[] = []
    const user = over(
      commands => {
        said.push(commands)
        return listing
      },
      undefined,
      undefined,
      [],
    )
    await user.allow(['tsc-0123'], false)
    assert.deepEqual(
      said[1]?.split('\n'),
      all(0, 12)
        .map(handle => `delete rule ip filter DOCKER-USER handle ${handle}`)
        .concat(said[1]!.split('\n').slice(12)),
    )
    await user.allow([], false)
    assert.doesNotMatch(said.at(-1)!, /handle 40$/m, 'once')
  })

  test('puts its rules back where others took them away, and says so once', async () => {
    const said: string[] = []
    const changes: string[] = []
    let present: readonly string[] = []
    let generation = 1
    const user = over(
      commands => {
        if (commands.startsWith('list ')) return listed(present)
        changes.push(commands)
        generation++
        present = dockerUserRules(['tsc-*'], 'tscompose')
        return ''
      },
      () => generation,
      line => said.push(line),
    )
    await user.allow(['tsc-0123'], false)
    await user.allow(['tsc-0123'], false)
    assert.deepEqual([changes.length, said], [1, []])
    present = []
    generation++
    await user.allow(['tsc-0123'], false)
    await user.allow(['tsc-0123'], false)
    assert.equal(changes.length, 2)
    assert.deepEqual(said, ['Rules of our bridges were gone from ip DOCKER-USER; they are there again'])
  })
})
