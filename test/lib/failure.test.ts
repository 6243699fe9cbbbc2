import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { errnoOf, Failure, isFailure, messageOf } from '../../src/lib/failure.ts'

test('a Failure keeps its kind, hint, exit code and origin', () => {
  const origin = new Error('gone')
  const { name, kind, message, hint, exitCode, cause } = new Failure('conflict', 'Cannot', {
    hint: 'Wait',
    exitCode: 126,
    cause: origin,
  })
  assert.deepEqual([name, kind, message, hint, exitCode, cause], ['Failure', 'conflict', 'Cannot', 'Wait', 126, origin])
  assert.ok(!('cause' in new Failure('internal', 'Cannot')))
})

test('isFailure() asks for the kind only when one is given', () => {
  const failure = new Failure('denied', 'Cannot')
  assert.deepEqual(
    [isFailure(failure), isFailure(failure, 'denied'), isFailure(failure, 'invalid'), isFailure(new Error('denied'))],
    [true, true, false, false],
  )
})

test('whatever is thrown has a message, and an errno when the system gave one', () => {
  assert.deepEqual(
    [messageOf(new Error('words')), messageOf('text'), messageOf(undefined)],
    ['words', 'text', 'undefined'],
  )
  const { error } = caught(() => statSync('/no/such/file'))
  const numbered = Object.assign(new Error('of gRPC'), { code: 5 })
  assert.deepEqual([error, numbered, new Error('plain'), { code: 'ENOENT' }, null].map(errnoOf), [
    'ENOENT',
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

function caught(work: () => unknown): { readonly error?: unknown } {
  try {
    work()
    return {}
  } catch (error) {
    return { error }
  }
}

test('messageOf() of an error that another followed while things were cleared away says what came first', () => {
  const clear = () => {
    using undo = new DisposableStack()
    undo.defer(() => {
      throw new Error('cannot clear')
    })
    throw new Failure('invalid', 'first')
  }
  assert.throws(clear, error => messageOf(error) === 'first')
})
