import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type BuildFlags, buildOrder } from '../../../../src/targets/engine/plan/build-order.ts'
import { basesIn } from '../../../../src/targets/engine/plan/dockerfile-bases.ts'
import { loadFiles } from '../../../stack/stacks.ts'

/** The order of service "a" of a stack in the folder /…/shop. */
async function orderOf(build: object | string, rest: object = {}, flags: BuildFlags = {}, own: object = {}) {
  const stack = { name: 'shop', services: { a: { build, ...own }, b: { build: '.' } }, ...rest }
  const { project } = await loadFiles({ 'compose.yaml': JSON.stringify(stack) }, { env: { SECRET: 'hush', V: '7' } })
  const order = buildOrder(project, project.services['a']!, project.services['a']!.build!, flags)
  return JSON.parse(JSON.stringify(order).replaceAll(project.directory, '/shop')) as typeof order
}

describe('buildOrder()', () => {
  test('names the image after the project and the service, or as they say', async () => {
    assert.deepEqual((await orderOf('.')).names, ['shop-a'])
    const tagged = { context: '.', tags: ['x/y:1', 'own'] }
    assert.deepEqual((await orderOf(tagged, {}, {}, { image: 'own' })).names, ['own', 'x/y:1'])
  })

  test('labels the image as Compose does', async () => {
    const { attributes } = await orderOf({ context: '.', labels: { mine: '1' } })
    assert.deepEqual(
      Object.entries(attributes).filter(([name]) => name.startsWith('label:')),
      [
        ['label:mine', '1'],
        ['label:com.docker.compose.project', 'shop'],
        ['label:com.docker.compose.service', 'a'],
        ['label:com.docker.compose.version', '2.40.3'],
      ],
    )
  })

  test('reads the Dockerfile from beside the context, from elsewhere, from the stack, or from a remote context', async () => {
    const dockerfile = async (build: object) => {
      const { attributes, dockerfile, folders } = await orderOf(build)
      return [
        attributes['filename'],
        attributes['context'],
        attributes['dockerfilekey'],
        dockerfile,
        folders['context'],
      ]
    }
    const file = (path: string) => ({ kind: 'file', file: path })
    const none = undefined
    assert.deepEqual(await dockerfile({ context: 'c' }), [
      'Dockerfile',
      none,
      none,
      file('/shop/c/Dockerfile'),
      '/shop/c',
    ])
    assert.deepEqual(await dockerfile({ context: 'c', dockerfile: '../o/D' }), [
      'D',
      none,
      none,
      file('/shop/o/D'),
      '/shop/c',
    ])
    assert.deepEqual(await dockerfile({ context: '.', dockerfile: '/x/D' }), ['D', none, none, file('/x/D'), '/shop'])
    const text = { kind: 'text', text: 'FROM x' }
    assert.deepEqual(await dockerfile({ dockerfile_inline: 'FROM x' }), ['Dockerfile', none, none, text, '/shop'])
    const remote = 'https://h/r.git#main:sub'
    assert.deepEqual(await dockerfile({ context: remote, dockerfile: 'd/D' }), ['d/D', remote, none, none, none])
    assert.deepEqual(await dockerfile({ context: remote, dockerfile_inline: 'FROM x' }), [
      'Dockerfile',
      remote,
      'dockerfile',
      text,
      none,
    ])
  })

  test('further contexts are folders by their names, images of services, or what they say', async () => {
    const { attributes, folders } = await orderOf({
      context: '.',
      additional_contexts: { f: './f', context: './own', s: 'service:b', i: 'docker-image://x', g: 'https://h/r.git' },
    })
    const contexts = Object.entries(attributes).filter(([name]) => name.startsWith('context:'))
    assert.deepEqual(Object.fromEntries(contexts), {
      'context:f': 'local:f',
      'context:context': 'local:_context',
      'context:s': 'docker-image://shop-b',
      'context:i': 'docker-image://x',
      'context:g': 'https://h/r.git',
    })
    assert.deepEqual(folders, { context: '/shop', f: '/shop/f', _context: '/shop/own' })
  })

  test('arguments take the value of the variable, are left out without one, and those of the command line win', async () => {
    const args = { A: '1', V: null, NONE: null, EMPTY: '' }
    const { attributes } = await orderOf({ context: '.', args }, {}, { args: { A: '2', B: '3' } })
    const given = Object.entries(attributes).filter(([name]) => name.startsWith('build-arg:'))
    assert.deepEqual(Object.fromEntries(given), {
      'build-arg:A': '2',
      'build-arg:V': '7',
      'build-arg:EMPTY': '',
      'build-arg:B': '3',
    })
  })

  test('options are told in the words of the frontend', async () => {
    const { attributes, entitlements, ssh } = await orderOf({
      context: '.',
      target: 't',
      platforms: ['linux/amd64'],
      pull: true,
      no_cache_filter: ['x', 'y'],
      network: 'host',
      extra_hosts: ['h=1.2.3.4', 'six=[::1]'],
      shm_size: '1k',
      ulimits: { nofile: 5, core: { soft: 1, hard: 2 } },
      privileged: true,
      ssh: ['default', 'k=/key'],
      provenance: 'false',
      sbom: true,
    })
    const { filename: _, ...rest } = attributes
    assert.deepEqual(Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith('label:'))), {
      target: 't',
      platform: 'linux/amd64',
      'image-resolve-mode': 'pull',
      'no-cache': 'x,y',
      'force-network-mode': 'host',
      'add-hosts': 'h=1.2.3.4,six=::1',
      'shm-size': '1024',
      ulimit: 'nofile=5:5,core=1:2',
      'attest:sbom': '',
    })
    assert.deepEqual(entitlements, ['network.host', 'security.insecure'])
    assert.deepEqual(ssh, [{ id: 'default' }, { id: 'k', path: '/key' }])
  })

  test('what is not asked for is not told', async () => {
    const { attributes } = await orderOf({ context: '.', network: 'default' })
    assert.deepEqual(
      Object.keys(attributes).filter(name => !name.startsWith('label:')),
      ['filename'],
    )
    assert.equal((await orderOf({ context: '.', no_cache: true })).attributes['no-cache'], '')
    assert.equal((await orderOf('.', {}, { noCache: true, pull: true })).attributes['image-resolve-mode'], 'pull')
  })

  test('secrets are of files and variables, by the name the Dockerfile knows them by', async () => {
    const secrets = { f: { file: './f' }, e: { environment: 'SECRET' }, n: { environment: 'NOT_SET' } }
    const order = await orderOf({ context: '.', secrets: ['f', { source: 'e', target: 'id' }, 'n'] }, { secrets })
    assert.deepEqual(order.secrets, [
      { id: 'f', source: { kind: 'file', file: '/shop/f' } },
      { id: 'id', source: { kind: 'value', value: 'hush', variable: 'SECRET' } },
      { id: 'n', source: { kind: 'none' } },
    ])
    assert.doesNotMatch(JSON.stringify(order.attributes), /hush/)
  })

  test('caches are a registry by its name, or a type with attributes', async () => {
    const { cacheFrom, cacheTo } = await orderOf({
      context: '.',
      cache_from: ['x/y:1', 'type=local,src=/c', 'type=local,src=./c'],
      cache_to: ['type=registry,ref=x,mode=max'],
    })
    assert.deepEqual(cacheFrom, [
      { type: 'registry', attributes: { ref: 'x/y:1' } },
      { type: 'local', attributes: { src: '/c' } },
      { type: 'local', attributes: { src: '/shop/c' } },
    ])
    assert.deepEqual(cacheTo, [{ type: 'registry', attributes: { ref: 'x', mode: 'max' } }])
  })

  test('what the command line says of attestations and keys is stronger', async () => {
    const attestations = async (own: object, flags: BuildFlags = {}) => {
      const { attributes } = await orderOf({ context: '.', ...own }, {}, flags)
      return [attributes['attest:provenance'], attributes['attest:sbom']]
    }
    const none = undefined
    assert.deepEqual(await attestations({ provenance: true, sbom: true }), ['mode=min', ''])
    assert.deepEqual(await attestations({ provenance: 'mode=max', sbom: 'generator=x' }), ['mode=max', 'generator=x'])
    assert.deepEqual(await attestations({ provenance: '', sbom: false }), [none, none])
    assert.deepEqual(await attestations({ provenance: 'mode=max' }, { provenance: 'false', sbom: 'true' }), [none, ''])
    const keys = async (ssh: BuildFlags['ssh']) =>
      (await orderOf({ context: '.', ssh: ['default', 'a=/a'] }, {}, ssh && { ssh })).ssh
    assert.deepEqual(await keys([]), [{ id: 'default' }, { id: 'a', path: '/a' }])
    assert.deepEqual(await keys([{ id: 'a', path: '/other' }, { id: 'b' }]), [
      { id: 'default' },
      { id: 'a', path: '/other' },
      { id: 'b' },
    ])
  })

  test('contexts are remote by their addresses, and folders otherwise', async () => {
    const { attributes, folders } = await orderOf({
      context: 'github.com/a/b',
      dockerfile: 'x/D',
      additional_contexts: {
        a: 'oci-layout://./layout:tag',
        b: 'git@h:a/b',
        c: 'github.com/a/b',
        dockerfile: './d',
        e: 'target:x',
      },
    })
    const told = Object.entries(attributes).filter(([name]) => /^context|^filename|^dockerfilekey/.test(name))
    assert.deepEqual(Object.fromEntries(told), {
      filename: 'x/D',
      context: 'github.com/a/b',
      'context:a': 'oci-layout:///shop/layout:tag',
      'context:b': 'git@h:a/b',
      'context:c': 'github.com/a/b',
      'context:dockerfile': 'local:_dockerfile',
      'context:e': 'local:e',
    })
    assert.deepEqual(Object.keys(folders).toSorted(), ['_dockerfile', 'e'])
  })

  test('a cache says its type before its attributes, or none', async () => {
    const { cacheFrom, cacheTo } = await orderOf({
      context: '.',
      cache_from: ['ref=x', 'type=gha, scope = a=b ,flag'],
      cache_to: ['type=local,dest=./c', 'type=inline'],
    })
    assert.deepEqual(cacheFrom, [
      { type: 'registry', attributes: { ref: 'x' } },
      { type: 'gha', attributes: { scope: ' a=b ', flag: '' } },
    ])
    assert.deepEqual(cacheTo, [
      { type: 'local', attributes: { dest: '/shop/c' } },
      { type: 'inline', attributes: {} },
    ])
  })
})

describe('basesIn()', () => {
  const cases: readonly (readonly [text: string, bases: readonly string[], args?: Record<string, string>])[] = [
    ['FROM a\nFROM b AS c\n', ['a', 'b']],
    ['from --platform=linux/amd64 a:1 as x', ['a:1']],
    ['FROM scratch\nCOPY --from=tools /a /b\nRUN --mount=type=bind,from=other,target=/x y', ['tools', 'other']],
    ['ARG V=1\nARG I="a:$V"\nFROM ${I}', ['a:1']],
    ['ARG V=1\nFROM a:${V}', ['a:2'], { V: '2' }],
    ['ARG V\nFROM a:${V:-3}\nFROM b:$V', ['a:3']],
    ['# FROM no\nFROM \\\n  # not this\n  a', ['a']],
    ['# escape=`\nFROM `\n  a', ['a']],
    ['FROM a\nARG V=1\nFROM b:$V', ['a']],
    ['\uFEFFFROM a\r\n', ['a']],
    ['', []],
  ]
  for (const [text, bases, args = {}] of cases)
    test(JSON.stringify(text), () => assert.deepEqual(basesIn(text, args), bases))
})
