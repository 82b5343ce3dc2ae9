import express from 'express'
import { versionOf } from '../../matrix/resolved-version.js'

it('runs on the Express version that this project asks for', () => {
  const version = versionOf(require.resolve('express'), 'express')
  process.stdout.write(`${MATRIX.project}: express ${version}\n`)
  expect(version).toBe(MATRIX.versions.express)
  expect(typeof express().use).toBe('function')
})
