import { describe } from 'node:test';
import { frontSuite } from './suite.js';

describe('the front built in', () => {
  frontSuite('built in');
});
