import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Failure } from '../../src/lib/failure.ts'
import { each, fakeClient, tscompose } from './fake-client.ts'

const folder = mkdtempSync(join(tmpdir(), 'tscompose-pull-'))
after(() => rmSync(folder, { recursive: true }))
writeFileSync(
  join(folder, 'compose.yaml'),
  `services:
  built: {image: "r.test/built:1", build: .}
  other: {image: "r.test/other:1"}
`,
)

const missing = (name: string) => new Failure('not-found', `no such image: ${name}`)
const client = (pulls: object = {}) =>
  fakeClient({
    containerList: () => [],
    networkList: () => [],
    volumeList: () => ({ Volumes: [], Warnings: [] }),
    imageList: () => [],
    imageInspect: ({ params }: { params: { name: string } }) => {
      if (params.name.includes('built')) throw missing(params.name)
      return { Id: `sha256:${'a'.repeat(64)}`, RepoTags: [params.name], RepoDigests: [], Config: {} }
    },
    imageCreate: ({ query }: { query: { fromImage: string } }) => {
      if (query.fromImage.includes('built')) throw missing(query.fromImage)
      return each({ status: 'Pull complete' })
    },
    ...pulls,
  })

test('pull of what can be built instead says how, after all others are pulled, and ends with 1', async () => {
  const { code, stderr } = await tscompose(['pull'], { client: client(), cwd: folder })
  assert.equal(code, 1)
  assert.match(stderr, / Image r\.test\/other:1 {2}Pulled\n/)
  assert.match(
    stderr,
    /warning Some service image\(s\) must be built from source by running:\n {4}tscompose build built\n/,
  )
  assert.match(stderr, /\nerror compose\.yaml:2:11 services\.built\.image\n {2}.*no such image: r\.test\/built/)
})

test('pull --ignore-pull-failures says so too, and ends with 0', async () => {
  const { code, stderr } = await tscompose(['pull', '--ignore-pull-failures'], { client: client(), cwd: folder })
  assert.equal(code, 0)
  assert.match(stderr, /must be built from source by running:\n {4}tscompose build built\n/)
})

test('pull has those that can be built fetched beside the others', async () => {
  // each is answered when both have been asked for
  const both = Promise.withResolvers<void>()
  let asked = 0
  const imageCreate = async () => {
    if (++asked === 2) both.resolve()
    await both.promise
    return each({ status: 'Pull complete' })
  }
  const imageInspect = ({ params }: { params: { name: string } }) => {
    return { Id: `sha256:${'a'.repeat(64)}`, RepoTags: [params.name], RepoDigests: [], Config: {} }
  }
  const { code } = await tscompose(['pull'], { client: client({ imageCreate, imageInspect }), cwd: folder })
  assert.deepEqual([code, asked], [0, 2])
})
