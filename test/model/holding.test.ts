import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reasonsToHold } from '../../src/model/holding.ts'
import { load } from '../stack/stacks.ts'

const cases: readonly (readonly [web: string, reasons: readonly string[]])[] = [
  ['', []],
  // an engine starts a container of its own accord, and knows nothing of what should be there before it
  ['depends_on: [db]', []],
  ['depends_on: [db], restart: always', ['web is started after db']],
  ['depends_on: [db], restart: "no"', []],
  ['depends_on: {db: {condition: service_started, restart: true}}', ['web is restarted with db']],
  ['depends_on: {db: {condition: service_started, restart: true}}, restart: always', ['web is restarted with db']],
  [
    'depends_on: {db: {condition: service_started, restart: true}, cache: {condition: service_started}}, restart: on-failure',
    ['web is restarted with db', 'web is started after cache'],
  ],
  ['post_start: [{command: a}]', []],
  ['post_start: [{command: a}], restart: unless-stopped', ['web has post_start hooks']],
  ['pre_start: [{command: a}]', []],
  ['pre_start: [{command: a}], restart: always', ['web has pre_start containers']],
  ['pre_stop: [{command: a}], restart: always', []],
  [
    'depends_on: [db], pre_start: [{command: a}], post_start: [{command: a}], restart: always',
    ['web is started after db', 'web has pre_start containers', 'web has post_start hooks'],
  ],
  ['x-on-unhealthy: none', []],
  ['x-on-unhealthy: restart', ['web is to restart when it is unhealthy']],
  ['x-schedule: {cron: "5 4 * * *"}', ['web has a schedule']],
  ['x-schedule: {cron: "5 4 * * *"}, depends_on: [db], post_start: [{command: a}]', ['web has a schedule']],
]

test('a stack is held for what an engine by itself does not keep', async () => {
  for (const [members, reasons] of cases) {
    const { project } = await load(`
services:
  web: {image: web, ${members}}
  db: {image: db}
  cache: {image: cache}
`)
    assert.deepEqual(
      reasonsToHold(project),
      reasons.map(text => ({ service: 'web', text })),
      members,
    )
  }
})

test('reasons to hold a stack come in the order of the names of its services', async () => {
  const { project } = await load(`
services:
  web: {image: web, x-on-unhealthy: restart}
  db: {image: db, restart: always, post_start: [{command: a}]}
`)
  assert.deepEqual(
    reasonsToHold(project).map(({ service }) => service),
    ['db', 'web'],
  )
})
