import { describe } from 'node:test';
import { needs } from '../needs.js';
import { frontSuite } from './suite.js';

describe('nginx as the front', needs('nginx'), () => {
  frontSuite('nginx');
});
