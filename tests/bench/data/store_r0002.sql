BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);
INSERT INTO "alembic_version" VALUES('r0002');
CREATE TABLE attempts (
	id INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	picture_sha256 VARCHAR NOT NULL, 
	codec_id VARCHAR NOT NULL, 
	quality DOUBLE NOT NULL, 
	seed BIGINT NOT NULL, 
	metric VARCHAR, 
	outcome VARCHAR NOT NULL, 
	stage VARCHAR NOT NULL, 
	exit_code INTEGER, 
	message TEXT NOT NULL, 
	stderr_tail TEXT NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_attempts PRIMARY KEY (id), 
	CONSTRAINT fk_attempts_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id), 
	CONSTRAINT fk_attempts_picture_sha256_pictures FOREIGN KEY(picture_sha256) REFERENCES pictures (sha256), 
	CONSTRAINT fk_attempts_codec_id_codecs FOREIGN KEY(codec_id) REFERENCES codecs (id)
);
INSERT INTO "attempts" VALUES(1,1,'b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','f1b98eea66e618c7',99.0,-1,NULL,'crash','encode',1,'made up','tail','2026-01-01T00:00:00+00:00');
INSERT INTO "attempts" VALUES(2,1,'2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','694dcaff0b061f87',99.0,-1,NULL,'crash','encode',1,'made up','tail','2026-01-01T00:00:00+00:00');
INSERT INTO "attempts" VALUES(3,1,'44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','f1b98eea66e618c7',99.0,-1,NULL,'crash','encode',1,'made up','tail','2026-01-01T00:00:00+00:00');
CREATE TABLE codecs (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	label VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	family VARCHAR NOT NULL, 
	parameters JSON NOT NULL, 
	stochastic BOOLEAN NOT NULL, 
	toy BOOLEAN NOT NULL, 
	tolerance_levels INTEGER NOT NULL, 
	weights_sha256 VARCHAR, 
	weights_bytes BIGINT NOT NULL, 
	trained_on VARCHAR, 
	imported BOOLEAN DEFAULT 0 NOT NULL, 
	provenance TEXT, 
	generator VARCHAR, 
	CONSTRAINT pk_codecs PRIMARY KEY (id)
);
INSERT INTO "codecs" VALUES('f1b98eea66e618c7','codec0','codec0','1','classic','{}',0,0,0,NULL,0,NULL,0,NULL,NULL);
INSERT INTO "codecs" VALUES('694dcaff0b061f87','codec1','codec1','1','learned','{}',0,0,0,NULL,0,NULL,0,NULL,'generator-0');
CREATE TABLE derived (
	"key" VARCHAR NOT NULL, 
	question VARCHAR NOT NULL, 
	value JSON NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_derived PRIMARY KEY ("key")
);
INSERT INTO "derived" VALUES('8fec03a7e84d76b798028181efbb0a87a6942604e936f0c7eae4208f32aa53f4','question 0','{"psnr": 30.0}','2026-01-01T00:00:00+00:00');
INSERT INTO "derived" VALUES('0a3352c1893aaab0ae34e271c29efc2890a79b74f6a78d2bfd0cc42c0c39c9ab','question 1','{"psnr": 31.0}','2026-01-01T00:00:00+00:00');
CREATE TABLE files (
	path VARCHAR NOT NULL, 
	file_bytes BIGINT NOT NULL, 
	modified_ns BIGINT NOT NULL, 
	picture_sha256 VARCHAR NOT NULL, 
	CONSTRAINT pk_files PRIMARY KEY (path), 
	CONSTRAINT fk_files_picture_sha256_pictures FOREIGN KEY(picture_sha256) REFERENCES pictures (sha256)
);
INSERT INTO "files" VALUES('path 0',1,1,'2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437');
INSERT INTO "files" VALUES('path 1',2,2,'44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412');
CREATE TABLE footprints (
	codec_id VARCHAR NOT NULL, 
	machine_id VARCHAR NOT NULL, 
	weights_bytes BIGINT NOT NULL, 
	library_bytes BIGINT NOT NULL, 
	runtime VARCHAR NOT NULL, 
	files JSON NOT NULL, 
	run_id INTEGER NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_footprints PRIMARY KEY (codec_id, machine_id), 
	CONSTRAINT fk_footprints_codec_id_codecs FOREIGN KEY(codec_id) REFERENCES codecs (id), 
	CONSTRAINT fk_footprints_machine_id_machines FOREIGN KEY(machine_id) REFERENCES machines (id), 
	CONSTRAINT fk_footprints_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "footprints" VALUES('694dcaff0b061f87','machine',1,1,'runtime 0','[0.25, 0.5]',1,'2026-01-01T00:00:00+00:00');
INSERT INTO "footprints" VALUES('f1b98eea66e618c7','machine',2,2,'runtime 1','[0.25, 0.5]',1,'2026-01-01T00:00:00+00:00');
CREATE TABLE machines (
	id VARCHAR NOT NULL, 
	description JSON NOT NULL, 
	CONSTRAINT pk_machines PRIMARY KEY (id)
);
INSERT INTO "machines" VALUES('machine','{"cpu": "made up", "cores": 1}');
CREATE TABLE matches (
	id INTEGER NOT NULL, 
	scope VARCHAR NOT NULL, 
	image_set VARCHAR NOT NULL, 
	picture_sha256 VARCHAR, 
	pictures INTEGER NOT NULL, 
	codec_id VARCHAR NOT NULL, 
	target_kind VARCHAR NOT NULL, 
	metric_id VARCHAR, 
	target DOUBLE NOT NULL, 
	quality DOUBLE NOT NULL, 
	achieved DOUBLE, 
	probes INTEGER NOT NULL, 
	encodes INTEGER NOT NULL, 
	ended VARCHAR NOT NULL, 
	run_id INTEGER NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_matches PRIMARY KEY (id), 
	CONSTRAINT fk_matches_picture_sha256_pictures FOREIGN KEY(picture_sha256) REFERENCES pictures (sha256), 
	CONSTRAINT fk_matches_codec_id_codecs FOREIGN KEY(codec_id) REFERENCES codecs (id), 
	CONSTRAINT fk_matches_metric_id_metrics FOREIGN KEY(metric_id) REFERENCES metrics (id), 
	CONSTRAINT fk_matches_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "matches" VALUES(1,'picture','synthetic','2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437',1,'694dcaff0b061f87','bpp','9628d0167113ba0f',1.0,1.0,1.0,1,1,'exact',1,'2026-01-01T00:00:00+00:00');
INSERT INTO "matches" VALUES(2,'picture','synthetic','44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412',2,'f1b98eea66e618c7','bpp','d2c548eb9e94a7b6',2.0,2.0,2.0,2,2,'exact',1,'2026-01-01T00:00:00+00:00');
CREATE TABLE measurements (
	id INTEGER NOT NULL, 
	picture_sha256 VARCHAR NOT NULL, 
	codec_id VARCHAR NOT NULL, 
	quality DOUBLE NOT NULL, 
	seed BIGINT NOT NULL, 
	run_id INTEGER NOT NULL, 
	bitstream_sha256 VARCHAR NOT NULL, 
	bitstream_bytes BIGINT NOT NULL, 
	header_bytes BIGINT NOT NULL, 
	payload_bytes BIGINT NOT NULL, 
	side_bytes BIGINT NOT NULL, 
	rate_kind VARCHAR DEFAULT 'bytes' NOT NULL, 
	decoded_sha256 VARCHAR NOT NULL, 
	encode_seconds JSON NOT NULL, 
	decode_seconds JSON NOT NULL, 
	load_seconds DOUBLE NOT NULL, 
	contended BOOLEAN NOT NULL, 
	probe BOOLEAN DEFAULT 0 NOT NULL, 
	created_at VARCHAR NOT NULL, 
	superseded_at VARCHAR, 
	CONSTRAINT pk_measurements PRIMARY KEY (id), 
	CONSTRAINT fk_measurements_picture_sha256_pictures FOREIGN KEY(picture_sha256) REFERENCES pictures (sha256), 
	CONSTRAINT fk_measurements_codec_id_codecs FOREIGN KEY(codec_id) REFERENCES codecs (id), 
	CONSTRAINT fk_measurements_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "measurements" VALUES(1,'b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','f1b98eea66e618c7',10.0,-1,1,'48936801d96e7ae476cf9cfd8921254ff61d2b545fcb2101899cffadee08cb64',8181,10,100,0,'bytes','4a31f3538925bbcbda013611e7e88a16a04e1c6b4247892ef7b91168949d83f0','[0.01, 0.01]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(2,'b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','f1b98eea66e618c7',20.0,-1,1,'91eb22f4481213c60ca82c6e35e24c97788e15d3483a1ed0d87d2325ea3fb99f',42576,10,100,0,'bytes','8dc72de804b37485952af787498c615a3070e83b8ce74d36f9538472864ce124','[0.01, 0.01]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(3,'b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','694dcaff0b061f87',10.0,-1,1,'5d18c5ef0144cdc5020b0a0151d5c08d6ad8978f9e3790dfb4a9ac484ac0d997',8229,10,100,0,'bytes','908a5947c28591e7d14b7bf5470e545b36575b2db7e023ffc998b494b21e000e','[0.02, 0.02]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(4,'b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','694dcaff0b061f87',20.0,-1,1,'2a38cd2f2055e8dd2689917e499f1808d01e3e8e721a91b47715e03b6c8204fa',46728,10,100,0,'bytes','3497a8d1a34483c59920257d477a21cd2e5bbfc03786627741c4a939421d0741','[0.02, 0.02]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(5,'2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','f1b98eea66e618c7',10.0,-1,1,'7dc24839d07bdc446d1f7e8e36764283a1087b19cfd929a0708aaa948b2482e7',3213,10,100,0,'bytes','e28e05197da972243cdddb14bcafa15a24b31d50819b61d3ffa666a4d3a685a1','[0.01, 0.01]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(6,'2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','f1b98eea66e618c7',20.0,-1,1,'470beb4ace1b3b0fc83b10cea3bce3271a339a237fa4b8f721d172b06a307d34',17721,10,100,0,'bytes','ecfdc94c0f83722e8879e81f69560ab43a59d07cd3cb8f6471833c94a68356e0','[0.01, 0.01]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(7,'2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','694dcaff0b061f87',10.0,-1,1,'c64f3c4c228ca2a831585a00b54e770570dc987d11d3745e6adf0a02217b8fa4',3464,10,100,0,'bytes','b8d40bd75b3d39e965bd6bd5704d5453892ed155b447746ce4758e1f9aefda77','[0.02, 0.02]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(8,'2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','694dcaff0b061f87',20.0,-1,1,'bc13ebf6ece63c5d31d6f243af273313c4d15c1bd6db277564df94daf2836f31',19334,10,100,0,'bytes','c413f845fbe90b262337e1c7f973d9afd3b4816dd7cdb77c3e6c4abce0891a62','[0.02, 0.02]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(9,'2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','f1b98eea66e618c7',20.0,7,1,'470beb4ace1b3b0fc83b10cea3bce3271a339a237fa4b8f721d172b06a307d34',17721,10,100,0,'bytes','ecfdc94c0f83722e8879e81f69560ab43a59d07cd3cb8f6471833c94a68356e0','[0.01, 0.01]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(10,'2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','694dcaff0b061f87',10.0,-1,1,'c64f3c4c228ca2a831585a00b54e770570dc987d11d3745e6adf0a02217b8fa4',1,10,100,0,'bytes','b8d40bd75b3d39e965bd6bd5704d5453892ed155b447746ce4758e1f9aefda77','[0.02, 0.02]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00','2026-01-01T00:00:00+00:00');
INSERT INTO "measurements" VALUES(11,'44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','f1b98eea66e618c7',10.0,-1,1,'1251b28a91b833e45871f6500ca9f3d7f43726cea473b77ab2961460f8024e43',4866,10,100,0,'bytes','5bc9f005cad10cc4fccd9ec3abbda6016062abe19eb1bfd95b5410aa811bde8a','[0.01, 0.01]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(12,'44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','f1b98eea66e618c7',20.0,-1,1,'ffbdb0dff1183561d4b32392c3b9f60097f3c993694cbd8dddfd0e3dbfcd2495',26083,10,100,0,'bytes','07e338336e6b4f8df418d2e7632cfd85d3bb4b39149cd892f2e1fd6f6177b451','[0.01, 0.01]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(13,'44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','694dcaff0b061f87',10.0,-1,1,'dcd9a3c5f0a3dae96edc058480708fc277d4f81ea9267fee80c3ce37d5c17851',6185,10,100,0,'bytes','1c8bbd91bc22cb3285c1b9eb96b80124bf80d3df2f219d8f446252ce9e7eaa91','[0.02, 0.02]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(14,'44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','694dcaff0b061f87',20.0,-1,1,'292af1cd2bf071323aad8574f5f6545e314326a51a4c2492004d790070644849',30069,10,100,0,'bytes','9c3c74621390a1c91ff16e4805cfb5e1feb6642880a77a4b300843717d180142','[0.02, 0.02]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "measurements" VALUES(15,'44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','694dcaff0b061f87',20.0,-1,1,'292af1cd2bf071323aad8574f5f6545e314326a51a4c2492004d790070644849',1,10,100,0,'bytes','9c3c74621390a1c91ff16e4805cfb5e1feb6642880a77a4b300843717d180142','[0.02, 0.02]','[0.01]',0.1,1,0,'2026-01-01T00:00:00+00:00','2026-01-01T00:00:00+00:00');
CREATE TABLE metrics (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	implementation VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	colour_space VARCHAR NOT NULL, 
	weights_sha256 VARCHAR, 
	better VARCHAR NOT NULL, 
	perfect DOUBLE, 
	lowest DOUBLE, 
	highest DOUBLE, 
	title VARCHAR DEFAULT '' NOT NULL, 
	unit VARCHAR DEFAULT '' NOT NULL, 
	decimals INTEGER, 
	curve_scale VARCHAR DEFAULT 'linear' NOT NULL, 
	default_order INTEGER, 
	CONSTRAINT pk_metrics PRIMARY KEY (id)
);
INSERT INTO "metrics" VALUES('d2c548eb9e94a7b6','psnr','synthetic','1','RGB',NULL,'higher',NULL,NULL,NULL,'PSNR','dB',2,'linear',5);
INSERT INTO "metrics" VALUES('9628d0167113ba0f','flip','synthetic','1','RGB',NULL,'lower',1.0,NULL,NULL,'FLIP','',3,'linear',NULL);
CREATE TABLE picture_descriptors (
	picture_sha256 VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	value DOUBLE NOT NULL, 
	CONSTRAINT pk_picture_descriptors PRIMARY KEY (picture_sha256, name), 
	CONSTRAINT fk_picture_descriptors_picture_sha256_pictures FOREIGN KEY(picture_sha256) REFERENCES pictures (sha256)
);
INSERT INTO "picture_descriptors" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','name 0',1.0);
INSERT INTO "picture_descriptors" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','name 1',2.0);
CREATE TABLE picture_prints (
	picture_sha256 VARCHAR NOT NULL, 
	perceptual VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	CONSTRAINT pk_picture_prints PRIMARY KEY (picture_sha256), 
	CONSTRAINT fk_picture_prints_picture_sha256_pictures FOREIGN KEY(picture_sha256) REFERENCES pictures (sha256)
);
INSERT INTO "picture_prints" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','perceptual 0','version 0');
INSERT INTO "picture_prints" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','perceptual 1','version 1');
CREATE TABLE picture_provenance (
	image_set VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	file_sha256 VARCHAR, 
	model_version TEXT, 
	prompt TEXT, 
	negative_prompt TEXT, 
	seed VARCHAR, 
	guidance DOUBLE, 
	steps INTEGER, 
	workflow TEXT, 
	url TEXT, 
	CONSTRAINT pk_picture_provenance PRIMARY KEY (image_set, name)
);
INSERT INTO "picture_provenance" VALUES('synthetic','name 0','de4b7e964c417e3a6acd3d1c7e0c3138215656409f9921b2b0b7a9701857365c','model_version 0','prompt 0','negative_prompt 0','seed 0',1.0,1,'workflow 0','url 0');
INSERT INTO "picture_provenance" VALUES('synthetic','name 1','435972bef0a772b073899901a264be3911ff601314740479de79447baf99e7ce','model_version 1','prompt 1','negative_prompt 1','seed 1',2.0,2,'workflow 1','url 1');
CREATE TABLE pictures (
	sha256 VARCHAR NOT NULL, 
	height INTEGER NOT NULL, 
	width INTEGER NOT NULL, 
	CONSTRAINT pk_pictures PRIMARY KEY (sha256)
);
INSERT INTO "pictures" VALUES('b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d',512,768);
INSERT INTO "pictures" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437',512,768);
INSERT INTO "pictures" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412',512,768);
CREATE TABLE published (
	id INTEGER NOT NULL, 
	image_set VARCHAR NOT NULL, 
	codec VARCHAR NOT NULL, 
	bits_per_pixel DOUBLE NOT NULL, 
	rate_kind VARCHAR DEFAULT 'bytes' NOT NULL, 
	scores JSON NOT NULL, 
	quality DOUBLE, 
	encode_seconds DOUBLE, 
	decode_seconds DOUBLE, 
	provenance TEXT NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_published PRIMARY KEY (id)
);
INSERT INTO "published" VALUES(1,'synthetic','codec 0',1.0,'estimated','{"psnr": 30.0}',1.0,1.0,1.0,'provenance 0','2026-01-01T00:00:00+00:00');
INSERT INTO "published" VALUES(2,'synthetic','codec 1',2.0,'estimated','{"psnr": 31.0}',2.0,2.0,2.0,'provenance 1','2026-01-01T00:00:00+00:00');
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	suite VARCHAR NOT NULL, 
	suite_text TEXT NOT NULL, 
	call JSON, 
	machine_id VARCHAR NOT NULL, 
	workers INTEGER NOT NULL, 
	process_id INTEGER NOT NULL, 
	planned_cells INTEGER NOT NULL, 
	status VARCHAR NOT NULL, 
	started_at VARCHAR NOT NULL, 
	finished_at VARCHAR, 
	CONSTRAINT pk_runs PRIMARY KEY (id), 
	CONSTRAINT fk_runs_machine_id_machines FOREIGN KEY(machine_id) REFERENCES machines (id)
);
INSERT INTO "runs" VALUES(1,'synthetic','',NULL,'machine',1,1,12,'finished','2026-01-01T00:00:00+00:00','2026-01-01T00:00:00+00:00');
CREATE TABLE scores (
	original_sha256 VARCHAR NOT NULL, 
	decoded_sha256 VARCHAR NOT NULL, 
	metric_id VARCHAR NOT NULL, 
	value DOUBLE, 
	lossless BOOLEAN NOT NULL, 
	seconds DOUBLE NOT NULL, 
	CONSTRAINT pk_scores PRIMARY KEY (original_sha256, decoded_sha256, metric_id), 
	CONSTRAINT fk_scores_metric_id_metrics FOREIGN KEY(metric_id) REFERENCES metrics (id)
);
INSERT INTO "scores" VALUES('b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','4a31f3538925bbcbda013611e7e88a16a04e1c6b4247892ef7b91168949d83f0','d2c548eb9e94a7b6',2.21042871208612474727e+01,0,0.01);
INSERT INTO "scores" VALUES('b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','4a31f3538925bbcbda013611e7e88a16a04e1c6b4247892ef7b91168949d83f0','9628d0167113ba0f',3.15797607326156248852e-01,0,0.01);
INSERT INTO "scores" VALUES('b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','8dc72de804b37485952af787498c615a3070e83b8ce74d36f9538472864ce124','d2c548eb9e94a7b6',2.83031114667848946462e+01,0,0.01);
INSERT INTO "scores" VALUES('b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','8dc72de804b37485952af787498c615a3070e83b8ce74d36f9538472864ce124','9628d0167113ba0f',2.64140737776792533519e-01,0,0.01);
INSERT INTO "scores" VALUES('b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','908a5947c28591e7d14b7bf5470e545b36575b2db7e023ffc998b494b21e000e','d2c548eb9e94a7b6',2.10877342852619094055e+01,0,0.01);
INSERT INTO "scores" VALUES('b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','908a5947c28591e7d14b7bf5470e545b36575b2db7e023ffc998b494b21e000e','9628d0167113ba0f',3.24268880956150751249e-01,0,0.01);
INSERT INTO "scores" VALUES('b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','3497a8d1a34483c59920257d477a21cd2e5bbfc03786627741c4a939421d0741','d2c548eb9e94a7b6',2.83693380234272822804e+01,0,0.01);
INSERT INTO "scores" VALUES('b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','3497a8d1a34483c59920257d477a21cd2e5bbfc03786627741c4a939421d0741','9628d0167113ba0f',2.63588849804772651364e-01,0,0.01);
INSERT INTO "scores" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','e28e05197da972243cdddb14bcafa15a24b31d50819b61d3ffa666a4d3a685a1','d2c548eb9e94a7b6',2.07385071956736375406e+01,0,0.01);
INSERT INTO "scores" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','e28e05197da972243cdddb14bcafa15a24b31d50819b61d3ffa666a4d3a685a1','9628d0167113ba0f',3.27179106702719657562e-01,0,0.01);
INSERT INTO "scores" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','ecfdc94c0f83722e8879e81f69560ab43a59d07cd3cb8f6471833c94a68356e0','d2c548eb9e94a7b6',28.020048146517,0,0.01);
INSERT INTO "scores" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','ecfdc94c0f83722e8879e81f69560ab43a59d07cd3cb8f6471833c94a68356e0','9628d0167113ba0f',0.266499598779025,0,0.01);
INSERT INTO "scores" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','b8d40bd75b3d39e965bd6bd5704d5453892ed155b447746ce4758e1f9aefda77','d2c548eb9e94a7b6',2.09112065893667171674e+01,0,0.01);
INSERT INTO "scores" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','b8d40bd75b3d39e965bd6bd5704d5453892ed155b447746ce4758e1f9aefda77','9628d0167113ba0f',3.2573994508861070507e-01,0,0.01);
INSERT INTO "scores" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','c413f845fbe90b262337e1c7f973d9afd3b4816dd7cdb77c3e6c4abce0891a62','d2c548eb9e94a7b6',2.87766130892291904785e+01,0,0.01);
INSERT INTO "scores" VALUES('2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','c413f845fbe90b262337e1c7f973d9afd3b4816dd7cdb77c3e6c4abce0891a62','9628d0167113ba0f',2.60194890923090116352e-01,0,0.01);
INSERT INTO "scores" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','5bc9f005cad10cc4fccd9ec3abbda6016062abe19eb1bfd95b5410aa811bde8a','d2c548eb9e94a7b6',2.04452308194676923847e+01,0,0.01);
INSERT INTO "scores" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','5bc9f005cad10cc4fccd9ec3abbda6016062abe19eb1bfd95b5410aa811bde8a','9628d0167113ba0f',3.29623076504435896794e-01,0,0.01);
INSERT INTO "scores" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','07e338336e6b4f8df418d2e7632cfd85d3bb4b39149cd892f2e1fd6f6177b451','d2c548eb9e94a7b6',2.7944574489583860811e+01,0,0.01);
INSERT INTO "scores" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','07e338336e6b4f8df418d2e7632cfd85d3bb4b39149cd892f2e1fd6f6177b451','9628d0167113ba0f',2.67128545920134463642e-01,0,0.01);
INSERT INTO "scores" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','1c8bbd91bc22cb3285c1b9eb96b80124bf80d3df2f219d8f446252ce9e7eaa91','d2c548eb9e94a7b6',2.16430473302351558109e+01,0,0.01);
INSERT INTO "scores" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','1c8bbd91bc22cb3285c1b9eb96b80124bf80d3df2f219d8f446252ce9e7eaa91','9628d0167113ba0f',3.1964127224804039784e-01,0,0.01);
INSERT INTO "scores" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','9c3c74621390a1c91ff16e4805cfb5e1feb6642880a77a4b300843717d180142','d2c548eb9e94a7b6',2.84104324666035523705e+01,0,0.01);
INSERT INTO "scores" VALUES('44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','9c3c74621390a1c91ff16e4805cfb5e1feb6642880a77a4b300843717d180142','9628d0167113ba0f',0.263246396111637,0,0.01);
CREATE TABLE set_metrics (
	id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	extractor TEXT NOT NULL, 
	weights_sha256 VARCHAR, 
	tile_pixels INTEGER, 
	shift_pixels INTEGER, 
	CONSTRAINT pk_set_metrics PRIMARY KEY (id)
);
INSERT INTO "set_metrics" VALUES('id 0','name 0','version 0','extractor 0','34ce334b4b5102b69861067a2314d1cbbba450267451f6e06a7571b7b94655fb',1,1);
INSERT INTO "set_metrics" VALUES('id 1','name 1','version 1','extractor 1','2641dee8383d0a8d29a812a060b462088526e4af869b554a89b515bf5dca1dd4',2,2);
CREATE TABLE set_pictures (
	image_set VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	picture_sha256 VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	caption TEXT, 
	text TEXT, 
	generator VARCHAR, 
	licence VARCHAR, 
	source VARCHAR, 
	CONSTRAINT pk_set_pictures PRIMARY KEY (image_set, name), 
	CONSTRAINT fk_set_pictures_picture_sha256_pictures FOREIGN KEY(picture_sha256) REFERENCES pictures (sha256)
);
INSERT INTO "set_pictures" VALUES('synthetic','picture0000.png','b6864edf273b0d661bfc9b47fff2a0f5e2e9e6d7bb76c8e0fa871eb76b14b23d','ai-generated','',NULL,NULL,'generator-0',NULL,NULL);
INSERT INTO "set_pictures" VALUES('synthetic','picture0001.png','2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','natural','',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "set_pictures" VALUES('synthetic','picture0002.png','44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','ai-generated','',NULL,NULL,'generator-2',NULL,NULL);
CREATE TABLE set_scores (
	metric_id VARCHAR NOT NULL, 
	codec_id VARCHAR NOT NULL, 
	quality DOUBLE NOT NULL, 
	seed BIGINT NOT NULL, 
	pool_sha256 VARCHAR NOT NULL, 
	image_set VARCHAR NOT NULL, 
	pictures INTEGER NOT NULL, 
	views INTEGER NOT NULL, 
	value DOUBLE NOT NULL, 
	seconds DOUBLE NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_set_scores PRIMARY KEY (metric_id, codec_id, quality, seed, pool_sha256), 
	CONSTRAINT fk_set_scores_metric_id_set_metrics FOREIGN KEY(metric_id) REFERENCES set_metrics (id), 
	CONSTRAINT fk_set_scores_codec_id_codecs FOREIGN KEY(codec_id) REFERENCES codecs (id)
);
INSERT INTO "set_scores" VALUES('id 0','694dcaff0b061f87',1.0,1,'51d6024fe2838cc2fca0ad40979fa9f85dae7ab46b08a1f905f2f543f71df6c1','synthetic',1,1,1.0,1.0,'2026-01-01T00:00:00+00:00');
INSERT INTO "set_scores" VALUES('id 1','f1b98eea66e618c7',2.0,2,'4b5d7d7abbed0f7c82eeb67213cdd0b4f9eb1e43f6158389a97f6ccc72df94a4','synthetic',2,2,2.0,2.0,'2026-01-01T00:00:00+00:00');
CREATE TABLE studies (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	"plan" TEXT NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	salt VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	opened_at VARCHAR, 
	closed_at VARCHAR, 
	CONSTRAINT pk_studies PRIMARY KEY (id), 
	CONSTRAINT uq_studies_name UNIQUE (name)
);
INSERT INTO "studies" VALUES(1,'small','
name = "small"
title = "A small study"

[pictures]
sets = ["made"]
[[conditions]]
codec = "none"
qualities = [1]
[consent]
version = "1"
text = "You look at pictures."
[trials]

[design]

[raters]
card_calibration = false
colour_plates = false

','a6da4bac448f2b498e115e852bc78c044d16a8aae142a2c0471361ecc5c3eb5e','open','fb5eff39e7d425445bbd4503d74a69ac5a7ae04314d20f5c1de2fc1bd149e19b','2026-11-30T10:23:18.669+00:00','2026-11-30T10:23:18.751+00:00',NULL);
CREATE TABLE study_conditions (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	place INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	codec_id VARCHAR, 
	codec VARCHAR, 
	rate VARCHAR, 
	is_reference BOOLEAN NOT NULL, 
	CONSTRAINT pk_study_conditions PRIMARY KEY (id), 
	CONSTRAINT uq_study_conditions_study_id UNIQUE (study_id, name), 
	CONSTRAINT fk_study_conditions_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id)
);
INSERT INTO "study_conditions" VALUES(1,1,0,'codec0','id0','codec0','q=0',0);
INSERT INTO "study_conditions" VALUES(2,1,1,'codec1','id1','codec1','q=1',0);
INSERT INTO "study_conditions" VALUES(3,1,2,'original',NULL,NULL,NULL,1);
CREATE TABLE study_contents (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	image_set VARCHAR, 
	kind VARCHAR, 
	picture_sha256 VARCHAR, 
	reference_sha256 VARCHAR, 
	"left" INTEGER NOT NULL, 
	top INTEGER NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	CONSTRAINT pk_study_contents PRIMARY KEY (id), 
	CONSTRAINT uq_study_contents_study_id UNIQUE (study_id, name), 
	CONSTRAINT fk_study_contents_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id)
);
INSERT INTO "study_contents" VALUES(1,1,'made/0','made','natural','ab81f944df182ad8e294f9141e997fc9730982ad25e8b6c7ab09eb9e10418884','ab81f944df182ad8e294f9141e997fc9730982ad25e8b6c7ab09eb9e10418884',0,0,16,16);
INSERT INTO "study_contents" VALUES(2,1,'made/1','made','natural','b46e9081ac0adb9ca52d1ba87e46a5a77e2ee7c36d4e3e2ff3437791e544ada2','b46e9081ac0adb9ca52d1ba87e46a5a77e2ee7c36d4e3e2ff3437791e544ada2',0,0,17,16);
CREATE TABLE study_environments (
	id INTEGER NOT NULL, 
	rater_id INTEGER NOT NULL, 
	record JSON NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_study_environments PRIMARY KEY (id), 
	CONSTRAINT fk_study_environments_rater_id_study_raters FOREIGN KEY(rater_id) REFERENCES study_raters (id)
);
INSERT INTO "study_environments" VALUES(1,1,'[0.25, 0.5]','2026-01-01T00:00:00+00:00');
INSERT INTO "study_environments" VALUES(2,2,'[0.25, 0.5]','2026-01-01T00:00:00+00:00');
CREATE TABLE study_events (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	event VARCHAR NOT NULL, 
	detail JSON NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_study_events PRIMARY KEY (id), 
	CONSTRAINT fk_study_events_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id)
);
INSERT INTO "study_events" VALUES(1,1,'planned','{"sha256": "a6da4bac448f2b498e115e852bc78c044d16a8aae142a2c0471361ecc5c3eb5e"}','2026-11-30T10:23:18.713+00:00');
INSERT INTO "study_events" VALUES(2,1,'open','{"sha256": "a6da4bac448f2b498e115e852bc78c044d16a8aae142a2c0471361ecc5c3eb5e"}','2026-11-30T10:23:18.752+00:00');
CREATE TABLE study_pairs (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	content_id INTEGER NOT NULL, 
	first_id INTEGER NOT NULL, 
	second_id INTEGER NOT NULL, 
	votes INTEGER NOT NULL, 
	balance INTEGER NOT NULL, 
	CONSTRAINT pk_study_pairs PRIMARY KEY (id), 
	CONSTRAINT fk_study_pairs_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT fk_study_pairs_content_id_study_contents FOREIGN KEY(content_id) REFERENCES study_contents (id), 
	CONSTRAINT fk_study_pairs_first_id_study_stimuli FOREIGN KEY(first_id) REFERENCES study_stimuli (id), 
	CONSTRAINT fk_study_pairs_second_id_study_stimuli FOREIGN KEY(second_id) REFERENCES study_stimuli (id)
);
INSERT INTO "study_pairs" VALUES(1,1,'main',1,1,2,2,0);
INSERT INTO "study_pairs" VALUES(2,1,'main',2,4,5,2,0);
INSERT INTO "study_pairs" VALUES(3,1,'training',1,3,1,0,0);
INSERT INTO "study_pairs" VALUES(4,1,'training',2,6,4,0,0);
INSERT INTO "study_pairs" VALUES(5,1,'golden',2,6,4,0,0);
INSERT INTO "study_pairs" VALUES(6,1,'golden',1,3,1,0,0);
INSERT INTO "study_pairs" VALUES(7,1,'golden',2,6,5,0,0);
INSERT INTO "study_pairs" VALUES(8,1,'identical',1,1,1,0,0);
CREATE TABLE study_proposals (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	pair_id INTEGER NOT NULL, 
	CONSTRAINT pk_study_proposals PRIMARY KEY (id), 
	CONSTRAINT fk_study_proposals_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT fk_study_proposals_pair_id_study_pairs FOREIGN KEY(pair_id) REFERENCES study_pairs (id)
);
INSERT INTO "study_proposals" VALUES(1,1,1);
INSERT INTO "study_proposals" VALUES(2,1,2);
CREATE TABLE study_raters (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	invitation_sha256 VARCHAR, 
	participant_hash VARCHAR, 
	panel JSON NOT NULL, 
	withdrawal_sha256 VARCHAR NOT NULL, 
	stage VARCHAR NOT NULL, 
	consent_version VARCHAR, 
	consented_at VARCHAR, 
	of_age BOOLEAN NOT NULL, 
	accepts_flicker BOOLEAN NOT NULL, 
	answers JSON NOT NULL, 
	breaks INTEGER NOT NULL, 
	invited_at VARCHAR NOT NULL, 
	joined_at VARCHAR, 
	finished_at VARCHAR, 
	CONSTRAINT pk_study_raters PRIMARY KEY (id), 
	CONSTRAINT uq_study_raters_study_id UNIQUE (study_id, participant_hash), 
	CONSTRAINT fk_study_raters_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT uq_study_raters_name UNIQUE (name), 
	CONSTRAINT uq_study_raters_invitation_sha256 UNIQUE (invitation_sha256), 
	CONSTRAINT uq_study_raters_withdrawal_sha256 UNIQUE (withdrawal_sha256)
);
INSERT INTO "study_raters" VALUES(1,1,'r47388525692e','7edb57d6c23d579e278e980cbe5fe61ee5e4221fe0e013ef55a53b903e5f731c',NULL,'{}','a1808d09c35c21048cb0c934e2af77401b81cff5979c16b5d661720a03387f62','done','1','2026-11-30T10:23:18.976+00:00',1,0,'{}',0,'2026-11-30T10:23:18.869+00:00','2026-11-30T10:23:18.960+00:00','2026-11-30T10:23:19.207+00:00');
INSERT INTO "study_raters" VALUES(2,1,'rf8173c08ed6b','a905ece27eaf7541b1e3a7acb46e1ef9445faf81e1054077cc9bf03830990d1a',NULL,'{}','a2b9317a0119ed9f127c9c5ced9c28b76a2e9cf45aa8ca3acbd39208eaea61d7','done','1','2026-11-30T10:23:19.224+00:00',1,0,'{}',0,'2026-11-30T10:23:18.869+00:00','2026-11-30T10:23:19.224+00:00','2026-11-30T10:23:19.300+00:00');
CREATE TABLE study_scores (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	condition_id INTEGER NOT NULL, 
	content_id INTEGER, 
	score DOUBLE NOT NULL, 
	low DOUBLE, 
	high DOUBLE, 
	CONSTRAINT pk_study_scores PRIMARY KEY (id), 
	CONSTRAINT uq_study_scores_study_id UNIQUE (study_id, condition_id, content_id), 
	CONSTRAINT fk_study_scores_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT fk_study_scores_condition_id_study_conditions FOREIGN KEY(condition_id) REFERENCES study_conditions (id), 
	CONSTRAINT fk_study_scores_content_id_study_contents FOREIGN KEY(content_id) REFERENCES study_contents (id)
);
INSERT INTO "study_scores" VALUES(1,1,1,1,1.0,1.0,1.0);
INSERT INTO "study_scores" VALUES(2,1,2,2,2.0,2.0,2.0);
CREATE TABLE study_sessions (
	token_sha256 VARCHAR NOT NULL, 
	rater_id INTEGER NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_study_sessions PRIMARY KEY (token_sha256), 
	CONSTRAINT fk_study_sessions_rater_id_study_raters FOREIGN KEY(rater_id) REFERENCES study_raters (id)
);
INSERT INTO "study_sessions" VALUES('6d4d3525a62fea666b89f591f8e4507d62ed1747e56768dbac6b674dc8ff5ac3',1,'2026-11-30T10:23:18.959+00:00');
INSERT INTO "study_sessions" VALUES('066e0f0737b6bebb111d5002f7db52efa8240555359a2b95f143276944ed763e',2,'2026-11-30T10:23:19.223+00:00');
CREATE TABLE study_stimuli (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	content_id INTEGER NOT NULL, 
	condition_id INTEGER NOT NULL, 
	quality DOUBLE, 
	bits_per_pixel DOUBLE, 
	decoded_sha256 VARCHAR, 
	shown_sha256 VARCHAR, 
	CONSTRAINT pk_study_stimuli PRIMARY KEY (id), 
	CONSTRAINT uq_study_stimuli_content_id UNIQUE (content_id, condition_id), 
	CONSTRAINT fk_study_stimuli_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT fk_study_stimuli_content_id_study_contents FOREIGN KEY(content_id) REFERENCES study_contents (id), 
	CONSTRAINT fk_study_stimuli_condition_id_study_conditions FOREIGN KEY(condition_id) REFERENCES study_conditions (id)
);
INSERT INTO "study_stimuli" VALUES(1,1,1,1,0.0,0.1,'9ceaf9da875f9d6bb8841ae50bf5aff3795901f63d2ad3dc0ecd88a0d828119b','9ceaf9da875f9d6bb8841ae50bf5aff3795901f63d2ad3dc0ecd88a0d828119b');
INSERT INTO "study_stimuli" VALUES(2,1,1,2,1.0,1.1,'e1d6f2fd15c91bdecb3845a60add694395f5a91cdf269699f6559a9062cfa3fd','e1d6f2fd15c91bdecb3845a60add694395f5a91cdf269699f6559a9062cfa3fd');
INSERT INTO "study_stimuli" VALUES(3,1,1,3,NULL,NULL,'ab81f944df182ad8e294f9141e997fc9730982ad25e8b6c7ab09eb9e10418884','ab81f944df182ad8e294f9141e997fc9730982ad25e8b6c7ab09eb9e10418884');
INSERT INTO "study_stimuli" VALUES(4,1,2,1,0.0,0.1,'ef3ff225d6b7a580908b65a6a974db5dfff788741d2ec8326a9598c238435023','ef3ff225d6b7a580908b65a6a974db5dfff788741d2ec8326a9598c238435023');
INSERT INTO "study_stimuli" VALUES(5,1,2,2,1.0,1.1,'9de4f78ee6c095a9fc5e29a77ee91ea25e19988cda1a759fd247facfcb6a9b9f','9de4f78ee6c095a9fc5e29a77ee91ea25e19988cda1a759fd247facfcb6a9b9f');
INSERT INTO "study_stimuli" VALUES(6,1,2,3,NULL,NULL,'b46e9081ac0adb9ca52d1ba87e46a5a77e2ee7c36d4e3e2ff3437791e544ada2','b46e9081ac0adb9ca52d1ba87e46a5a77e2ee7c36d4e3e2ff3437791e544ada2');
CREATE TABLE study_tombstones (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	votes INTEGER NOT NULL, 
	withdrawn_at VARCHAR NOT NULL, 
	CONSTRAINT pk_study_tombstones PRIMARY KEY (id), 
	CONSTRAINT fk_study_tombstones_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id)
);
INSERT INTO "study_tombstones" VALUES(1,1,1,'2026-01-01T00:00:00+00:00');
INSERT INTO "study_tombstones" VALUES(2,1,2,'2026-01-01T00:00:00+00:00');
CREATE TABLE study_trials (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	rater_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	token VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	pair_id INTEGER NOT NULL, 
	first_id INTEGER NOT NULL, 
	second_id INTEGER NOT NULL, 
	probability DOUBLE, 
	lease_until VARCHAR NOT NULL, 
	answered_at VARCHAR, 
	CONSTRAINT pk_study_trials PRIMARY KEY (id), 
	CONSTRAINT uq_study_trials_rater_id UNIQUE (rater_id, position), 
	CONSTRAINT fk_study_trials_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT fk_study_trials_rater_id_study_raters FOREIGN KEY(rater_id) REFERENCES study_raters (id), 
	CONSTRAINT uq_study_trials_token UNIQUE (token), 
	CONSTRAINT fk_study_trials_pair_id_study_pairs FOREIGN KEY(pair_id) REFERENCES study_pairs (id), 
	CONSTRAINT fk_study_trials_first_id_study_stimuli FOREIGN KEY(first_id) REFERENCES study_stimuli (id), 
	CONSTRAINT fk_study_trials_second_id_study_stimuli FOREIGN KEY(second_id) REFERENCES study_stimuli (id)
);
INSERT INTO "study_trials" VALUES(1,1,1,0,'92f8ad09593e799e69e83a661707585f','training',4,4,6,NULL,'2026-11-30T10:53:19.025+00:00','2026-11-30T10:23:19.140+00:00');
INSERT INTO "study_trials" VALUES(2,1,1,1,'ff4129bab555e46fc6cfe6141cefe26c','training',3,3,1,NULL,'2026-11-30T10:53:19.025+00:00','2026-11-30T10:23:19.164+00:00');
INSERT INTO "study_trials" VALUES(3,1,1,2,'7708d8adf3b140eaeb90e34d8c980624','main',2,4,5,1.0,'2026-11-30T10:53:19.025+00:00','2026-11-30T10:23:19.164+00:00');
INSERT INTO "study_trials" VALUES(4,1,1,3,'81931b63c94b925086459c6f2b6a0af1','main',1,2,1,1.0,'2026-11-30T10:53:19.025+00:00','2026-11-30T10:23:19.176+00:00');
INSERT INTO "study_trials" VALUES(5,1,1,4,'603529f4a5d3040808bb18b3bf1eb800','golden',5,6,4,NULL,'2026-11-30T10:53:19.025+00:00','2026-11-30T10:23:19.190+00:00');
INSERT INTO "study_trials" VALUES(6,1,1,5,'3cd63ea1ae7c409c09a42067059b55fa','golden',6,1,3,NULL,'2026-11-30T10:53:19.025+00:00','2026-11-30T10:23:19.191+00:00');
INSERT INTO "study_trials" VALUES(7,1,1,6,'901b3c8b3ccb146646f718bfb8ed793e','golden',7,5,6,NULL,'2026-11-30T10:53:19.025+00:00','2026-11-30T10:23:19.192+00:00');
INSERT INTO "study_trials" VALUES(8,1,1,7,'dea55ee43ee3122983ee4a768592eece','identical',8,1,1,NULL,'2026-11-30T10:53:19.025+00:00','2026-11-30T10:23:19.193+00:00');
INSERT INTO "study_trials" VALUES(9,1,2,0,'d49f87d11f0f2a76ff27832bebfd78f5','training',3,3,1,NULL,'2026-11-30T10:53:19.239+00:00','2026-11-30T10:23:19.266+00:00');
INSERT INTO "study_trials" VALUES(10,1,2,1,'0dbe4ef698ec6f465804f04d23a19f59','training',4,6,4,NULL,'2026-11-30T10:53:19.239+00:00','2026-11-30T10:23:19.268+00:00');
INSERT INTO "study_trials" VALUES(11,1,2,2,'67a5fe83a9febc2632460943810b95ff','main',1,1,2,1.0,'2026-11-30T10:53:19.239+00:00','2026-11-30T10:23:19.269+00:00');
INSERT INTO "study_trials" VALUES(12,1,2,3,'442d0c64e20ea940c6ec6f1ffd88c918','main',2,5,4,1.0,'2026-11-30T10:53:19.239+00:00','2026-11-30T10:23:19.282+00:00');
INSERT INTO "study_trials" VALUES(13,1,2,4,'99ab9bdc3791404fb9a80d203e159020','golden',6,1,3,NULL,'2026-11-30T10:53:19.239+00:00','2026-11-30T10:23:19.284+00:00');
INSERT INTO "study_trials" VALUES(14,1,2,5,'96b780ddc46a110306d2d5ce18af4f70','golden',7,6,5,NULL,'2026-11-30T10:53:19.239+00:00','2026-11-30T10:23:19.285+00:00');
INSERT INTO "study_trials" VALUES(15,1,2,6,'97011869816750f9a091bd01d6422fe5','identical',8,1,1,NULL,'2026-11-30T10:53:19.239+00:00','2026-11-30T10:23:19.298+00:00');
INSERT INTO "study_trials" VALUES(16,1,2,7,'9c1f0e8e13f5593e6a26c570e1095eea','golden',5,6,4,NULL,'2026-11-30T10:53:19.239+00:00','2026-11-30T10:23:19.299+00:00');
CREATE TABLE study_votes (
	id INTEGER NOT NULL, 
	study_id INTEGER NOT NULL, 
	rater_id INTEGER NOT NULL, 
	trial_id INTEGER NOT NULL, 
	client_uuid VARCHAR NOT NULL, 
	answer VARCHAR NOT NULL, 
	response_ms DOUBLE, 
	proof VARCHAR NOT NULL, 
	display JSON NOT NULL, 
	received_at VARCHAR NOT NULL, 
	CONSTRAINT pk_study_votes PRIMARY KEY (id), 
	CONSTRAINT fk_study_votes_study_id_studies FOREIGN KEY(study_id) REFERENCES studies (id), 
	CONSTRAINT fk_study_votes_rater_id_study_raters FOREIGN KEY(rater_id) REFERENCES study_raters (id), 
	CONSTRAINT uq_study_votes_trial_id UNIQUE (trial_id), 
	CONSTRAINT fk_study_votes_trial_id_study_trials FOREIGN KEY(trial_id) REFERENCES study_trials (id), 
	CONSTRAINT uq_study_votes_client_uuid UNIQUE (client_uuid)
);
INSERT INTO "study_votes" VALUES(1,1,1,1,'e6b074ea-8269-422d-93d0-8860c3b8eaff','first',812.5,'unproven','{}','2026-11-30T10:23:19.140+00:00');
INSERT INTO "study_votes" VALUES(2,1,1,2,'6740d75f-e101-4017-abc9-764c7057255c','first',812.5,'unproven','{}','2026-11-30T10:23:19.164+00:00');
INSERT INTO "study_votes" VALUES(3,1,1,3,'9cb34fda-215e-4509-9739-20596fd7e390','first',812.5,'unproven','{}','2026-11-30T10:23:19.164+00:00');
INSERT INTO "study_votes" VALUES(4,1,1,4,'e324975f-ebdc-4287-892c-69f00defa7f8','first',812.5,'unproven','{}','2026-11-30T10:23:19.176+00:00');
INSERT INTO "study_votes" VALUES(5,1,1,5,'6f3be257-cbb5-4b0a-828d-cfec714b045f','first',812.5,'unproven','{}','2026-11-30T10:23:19.190+00:00');
INSERT INTO "study_votes" VALUES(6,1,1,6,'4159607b-17a7-4b4f-80ec-c3808a4f05e7','first',812.5,'unproven','{}','2026-11-30T10:23:19.191+00:00');
INSERT INTO "study_votes" VALUES(7,1,1,7,'17cda7c4-c186-422b-8158-a65799b00860','first',812.5,'unproven','{}','2026-11-30T10:23:19.192+00:00');
INSERT INTO "study_votes" VALUES(8,1,1,8,'03cc35c5-dfac-4f22-b9dd-9ece6bc18216','first',812.5,'unproven','{}','2026-11-30T10:23:19.193+00:00');
INSERT INTO "study_votes" VALUES(9,1,2,9,'a2a869e3-fb28-4a20-a3db-1156a1a29ebb','second',812.5,'unproven','{}','2026-11-30T10:23:19.266+00:00');
INSERT INTO "study_votes" VALUES(10,1,2,10,'e5e8e23e-9061-4689-8222-16b92f7220e9','second',812.5,'unproven','{}','2026-11-30T10:23:19.268+00:00');
INSERT INTO "study_votes" VALUES(11,1,2,11,'11bde70e-7df5-4f8d-bafa-775f34f69d02','second',812.5,'unproven','{}','2026-11-30T10:23:19.269+00:00');
INSERT INTO "study_votes" VALUES(12,1,2,12,'28deb36c-62c0-4434-9f65-bb8dbaa4e021','second',812.5,'unproven','{}','2026-11-30T10:23:19.282+00:00');
INSERT INTO "study_votes" VALUES(13,1,2,13,'e345741b-1778-41ed-8037-c0503e93fbc6','second',812.5,'unproven','{}','2026-11-30T10:23:19.284+00:00');
INSERT INTO "study_votes" VALUES(14,1,2,14,'5ae76c5e-1833-4003-834c-2b60aafd5b61','second',812.5,'unproven','{}','2026-11-30T10:23:19.285+00:00');
INSERT INTO "study_votes" VALUES(15,1,2,15,'7430a309-6c37-4b63-bc22-e59043e16b7d','second',812.5,'unproven','{}','2026-11-30T10:23:19.298+00:00');
INSERT INTO "study_votes" VALUES(16,1,2,16,'e1329407-efa1-4cad-8428-8466f187467a','second',812.5,'unproven','{}','2026-11-30T10:23:19.299+00:00');
CREATE TABLE timings (
	id INTEGER NOT NULL, 
	picture_sha256 VARCHAR NOT NULL, 
	codec_id VARCHAR NOT NULL, 
	quality DOUBLE NOT NULL, 
	machine_id VARCHAR NOT NULL, 
	threads INTEGER NOT NULL, 
	run_id INTEGER NOT NULL, 
	bitstream_bytes BIGINT NOT NULL, 
	encode_seconds JSON NOT NULL, 
	decode_seconds JSON NOT NULL, 
	encode_cpu_seconds JSON NOT NULL, 
	decode_cpu_seconds JSON NOT NULL, 
	encode_device_span_seconds JSON, 
	decode_device_span_seconds JSON, 
	encode_energy_joules JSON, 
	decode_energy_joules JSON, 
	other_shares JSON NOT NULL, 
	encode_gpu_busy_seconds DOUBLE, 
	decode_gpu_busy_seconds DOUBLE, 
	empty_mib DOUBLE NOT NULL, 
	encode_peak_mib DOUBLE, 
	decode_peak_mib DOUBLE, 
	encode_peak_gpu_mib DOUBLE, 
	decode_peak_gpu_mib DOUBLE, 
	encode_macs BIGINT, 
	decode_macs BIGINT, 
	load_seconds DOUBLE NOT NULL, 
	load_before DOUBLE NOT NULL, 
	load_after DOUBLE NOT NULL, 
	loaded BOOLEAN NOT NULL, 
	created_at VARCHAR NOT NULL, 
	superseded_at VARCHAR, 
	CONSTRAINT pk_timings PRIMARY KEY (id), 
	CONSTRAINT fk_timings_picture_sha256_pictures FOREIGN KEY(picture_sha256) REFERENCES pictures (sha256), 
	CONSTRAINT fk_timings_codec_id_codecs FOREIGN KEY(codec_id) REFERENCES codecs (id), 
	CONSTRAINT fk_timings_machine_id_machines FOREIGN KEY(machine_id) REFERENCES machines (id), 
	CONSTRAINT fk_timings_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id)
);
INSERT INTO "timings" VALUES(1,'2dabd364013897cccceb7b1526cffb689610f8202cff6b4a8c387525982ad437','694dcaff0b061f87',1.0,'machine',1,1,1,'[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]',1.0,1.0,1.0,1.0,1.0,1.0,1.0,1,1,1.0,1.0,1.0,0,'2026-01-01T00:00:00+00:00',NULL);
INSERT INTO "timings" VALUES(2,'44f53bd737577450478c9be340f9bc77938f17c3df08ccdaf99144425dce9412','f1b98eea66e618c7',2.0,'machine',2,1,2,'[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]','[0.25, 0.5]',2.0,2.0,2.0,2.0,2.0,2.0,2.0,2,2,2.0,2.0,2.0,1,'2026-01-01T00:00:00+00:00',NULL);
CREATE TABLE verifications (
	id INTEGER NOT NULL, 
	measurement_id INTEGER NOT NULL, 
	outcome VARCHAR NOT NULL, 
	largest_difference INTEGER, 
	isolation VARCHAR NOT NULL, 
	encoder_repeats BOOLEAN, 
	message TEXT NOT NULL, 
	machine_id VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	CONSTRAINT pk_verifications PRIMARY KEY (id), 
	CONSTRAINT fk_verifications_measurement_id_measurements FOREIGN KEY(measurement_id) REFERENCES measurements (id), 
	CONSTRAINT fk_verifications_machine_id_machines FOREIGN KEY(machine_id) REFERENCES machines (id)
);
INSERT INTO "verifications" VALUES(1,1,'identical',1,'none',0,'message 0','machine','2026-01-01T00:00:00+00:00');
INSERT INTO "verifications" VALUES(2,2,'identical',2,'none',1,'message 1','machine','2026-01-01T00:00:00+00:00');
CREATE INDEX ix_published_image_set ON published (image_set);
CREATE INDEX ix_derived_question ON derived (question);
CREATE INDEX ix_set_pictures_picture_sha256 ON set_pictures (picture_sha256);
CREATE INDEX ix_set_scores_image_set ON set_scores (image_set);
CREATE INDEX ix_set_scores_codec ON set_scores (codec_id, quality);
CREATE INDEX ix_study_raters_study_id ON study_raters (study_id);
CREATE INDEX ix_study_tombstones_study_id ON study_tombstones (study_id);
CREATE INDEX ix_study_events_study_id ON study_events (study_id);
CREATE INDEX ix_measurements_decoded ON measurements (decoded_sha256);
CREATE UNIQUE INDEX uq_measurements_cell ON measurements (picture_sha256, codec_id, quality, seed) WHERE superseded_at IS NULL;
CREATE INDEX ix_measurements_codec_id ON measurements (codec_id);
CREATE INDEX ix_matches_codec ON matches (codec_id, target_kind, target);
CREATE INDEX ix_matches_image_set ON matches (image_set);
CREATE INDEX ix_matches_picture_sha256 ON matches (picture_sha256);
CREATE INDEX ix_attempts_cell ON attempts (picture_sha256, codec_id, quality, seed);
CREATE INDEX ix_study_stimuli_study_id ON study_stimuli (study_id);
CREATE INDEX ix_study_sessions_rater_id ON study_sessions (rater_id);
CREATE INDEX ix_study_environments_rater_id ON study_environments (rater_id);
CREATE INDEX ix_timings_codec_id ON timings (codec_id);
CREATE UNIQUE INDEX uq_timings_cell ON timings (picture_sha256, codec_id, quality, machine_id, threads) WHERE superseded_at IS NULL;
CREATE INDEX ix_verifications_measurement_id ON verifications (measurement_id);
CREATE INDEX ix_study_pairs_study ON study_pairs (study_id, kind);
CREATE INDEX ix_study_trials_due ON study_trials (rater_id, position) WHERE answered_at IS NULL;
CREATE INDEX ix_study_trials_pair ON study_trials (pair_id);
CREATE INDEX ix_study_trials_waiting ON study_trials (study_id, lease_until) WHERE answered_at IS NULL;
CREATE INDEX ix_study_proposals_study ON study_proposals (study_id, id);
CREATE INDEX ix_study_votes_study ON study_votes (study_id, id);
CREATE INDEX ix_study_votes_rater_id ON study_votes (rater_id);
COMMIT;
