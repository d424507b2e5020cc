BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY);
INSERT INTO "alembic_version" VALUES('r0003');
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
	planned_cells INTEGER NOT NULL, 
	status VARCHAR NOT NULL, 
	started_at VARCHAR NOT NULL, 
	finished_at VARCHAR, 
	seen_at VARCHAR, 
	CONSTRAINT pk_runs PRIMARY KEY (id), 
	CONSTRAINT fk_runs_machine_id_machines FOREIGN KEY(machine_id) REFERENCES machines (id)
);
INSERT INTO "runs" VALUES(1,'synthetic','',NULL,'machine',1,12,'finished','2026-01-01T00:00:00+00:00','2026-01-01T00:00:00+00:00',NULL);
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

[exclusion]
golden_pass_rate = 0
minimum_median_ms = 0

','b5fc22eaa0e02179954110c4885d4f94282f8a3addd031c86b458c36e5c98ec8','open','bfd80963df15979c9f5f194539c8ee9160583f08ee097b3f29d2ef63af3395fa','2026-11-30T16:22:43.137+00:00','2026-11-30T16:22:43.176+00:00',NULL);
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
INSERT INTO "study_events" VALUES(1,1,'planned','{"sha256": "b5fc22eaa0e02179954110c4885d4f94282f8a3addd031c86b458c36e5c98ec8"}','2026-11-30T16:22:43.149+00:00');
INSERT INTO "study_events" VALUES(2,1,'open','{"sha256": "b5fc22eaa0e02179954110c4885d4f94282f8a3addd031c86b458c36e5c98ec8"}','2026-11-30T16:22:43.177+00:00');
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
INSERT INTO "study_raters" VALUES(1,1,'rcebc993cc762','62e41b1846272a299116fd63bb63dc6d3d6901cf3c459f35dea051de9373aaf5',NULL,'{}','7b944d1f66f9a8468dc12f6a24d1a6d85875d7196c7ba5eeee9214e27bf81f6e','done','1','2026-11-30T16:22:43.356+00:00',1,0,'{}',0,'2026-11-30T16:22:43.269+00:00','2026-11-30T16:22:43.342+00:00','2026-11-30T16:22:43.495+00:00');
INSERT INTO "study_raters" VALUES(2,1,'r3f11b2079de0','64850f0504ab7b504a4763730fb057f5d6482f3189241f31e75f87d33d971efc',NULL,'{}','2ae205b0562d7532dc508095230779aca00a1b25409bde1f3abd1bdd82d20b99','done','1','2026-11-30T16:22:43.519+00:00',1,0,'{}',0,'2026-11-30T16:22:43.269+00:00','2026-11-30T16:22:43.518+00:00','2026-11-30T16:22:43.575+00:00');
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
INSERT INTO "study_sessions" VALUES('ab6e0a0be18dc8ce8ccdd5ff0dd3647abbbc6abbe48f91eb0771771d9806d5f6',1,'2026-11-30T16:22:43.340+00:00');
INSERT INTO "study_sessions" VALUES('c4e03c072550c702085fdcc50b9104d8537971bb099ac281a2dfbb1d3b42086c',2,'2026-11-30T16:22:43.510+00:00');
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
INSERT INTO "study_trials" VALUES(1,1,1,0,'d14d183dddeab6445d7888175d9695b5','training',4,4,6,NULL,'2026-11-30T16:52:43.368+00:00','2026-11-30T16:22:43.434+00:00');
INSERT INTO "study_trials" VALUES(2,1,1,1,'2aee00d9410139bd3c9550f541a28ccf','training',3,3,1,NULL,'2026-11-30T16:52:43.368+00:00','2026-11-30T16:22:43.450+00:00');
INSERT INTO "study_trials" VALUES(3,1,1,2,'f724a5ed1e2c27c8ed935dda8ce048f7','main',2,4,5,1.0,'2026-11-30T16:52:43.368+00:00','2026-11-30T16:22:43.450+00:00');
INSERT INTO "study_trials" VALUES(4,1,1,3,'2564a1539f3b947396d7274f3df5b097','main',1,2,1,1.0,'2026-11-30T16:52:43.368+00:00','2026-11-30T16:22:43.465+00:00');
INSERT INTO "study_trials" VALUES(5,1,1,4,'420e4311eb8e97cb20a5e3f67cc13a83','golden',5,6,4,NULL,'2026-11-30T16:52:43.368+00:00','2026-11-30T16:22:43.466+00:00');
INSERT INTO "study_trials" VALUES(6,1,1,5,'bf0c70621ad5abcf5f6d849e40813070','golden',6,1,3,NULL,'2026-11-30T16:52:43.368+00:00','2026-11-30T16:22:43.467+00:00');
INSERT INTO "study_trials" VALUES(7,1,1,6,'d7f6520cb7b4aca7555a416797d79e31','golden',7,5,6,NULL,'2026-11-30T16:52:43.368+00:00','2026-11-30T16:22:43.467+00:00');
INSERT INTO "study_trials" VALUES(8,1,1,7,'540088c9cfce7e10b6c086719c44fa92','identical',8,1,1,NULL,'2026-11-30T16:52:43.368+00:00','2026-11-30T16:22:43.480+00:00');
INSERT INTO "study_trials" VALUES(9,1,2,0,'0a075ec427bb4805c3d84cad353967bf','training',3,3,1,NULL,'2026-11-30T16:52:43.524+00:00','2026-11-30T16:22:43.527+00:00');
INSERT INTO "study_trials" VALUES(10,1,2,1,'28753792ac5e3a16b9247c764a39a0cd','training',4,6,4,NULL,'2026-11-30T16:52:43.524+00:00','2026-11-30T16:22:43.541+00:00');
INSERT INTO "study_trials" VALUES(11,1,2,2,'fc931246d89dfd0de1300298ef7c9a0f','main',1,1,2,1.0,'2026-11-30T16:52:43.524+00:00','2026-11-30T16:22:43.542+00:00');
INSERT INTO "study_trials" VALUES(12,1,2,3,'311d3d2414a71a28e09526d7c37dbae0','main',2,5,4,1.0,'2026-11-30T16:52:43.524+00:00','2026-11-30T16:22:43.543+00:00');
INSERT INTO "study_trials" VALUES(13,1,2,4,'1dd33bc326b8a9cccbd9086a84c12101','golden',6,1,3,NULL,'2026-11-30T16:52:43.524+00:00','2026-11-30T16:22:43.543+00:00');
INSERT INTO "study_trials" VALUES(14,1,2,5,'85c9461c2b2b6fcfd77582f7ae5d7f74','golden',7,6,5,NULL,'2026-11-30T16:52:43.524+00:00','2026-11-30T16:22:43.553+00:00');
INSERT INTO "study_trials" VALUES(15,1,2,6,'8ab3922971f93d6dbb40c46e3301ef31','identical',8,1,1,NULL,'2026-11-30T16:52:43.524+00:00','2026-11-30T16:22:43.554+00:00');
INSERT INTO "study_trials" VALUES(16,1,2,7,'4ab02239ab650e2459811cb94878fb72','golden',5,6,4,NULL,'2026-11-30T16:52:43.524+00:00','2026-11-30T16:22:43.555+00:00');
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
INSERT INTO "study_votes" VALUES(1,1,1,1,'f4c4f666-a5b6-42c7-9b9c-093945323c6e','first',1.5,'unproven','{}','2026-11-30T16:22:43.434+00:00');
INSERT INTO "study_votes" VALUES(2,1,1,2,'249473af-1a0d-44df-9db0-bc08ce448df3','first',1.5,'unproven','{}','2026-11-30T16:22:43.450+00:00');
INSERT INTO "study_votes" VALUES(3,1,1,3,'2b8cbcf7-d03d-411e-8c29-aff24e107a7c','first',1.5,'unproven','{}','2026-11-30T16:22:43.450+00:00');
INSERT INTO "study_votes" VALUES(4,1,1,4,'3e036f6d-2e50-4769-83bc-fea3717cfa51','first',1.5,'unproven','{}','2026-11-30T16:22:43.465+00:00');
INSERT INTO "study_votes" VALUES(5,1,1,5,'214df21f-4eab-44e6-a74e-77d548a27959','first',1.5,'unproven','{}','2026-11-30T16:22:43.466+00:00');
INSERT INTO "study_votes" VALUES(6,1,1,6,'19c5fcb0-d59e-43df-aaf5-871283a29f89','first',1.5,'unproven','{}','2026-11-30T16:22:43.467+00:00');
INSERT INTO "study_votes" VALUES(7,1,1,7,'67a43bef-4783-4257-b5c7-6cc3044a3072','first',1.5,'unproven','{}','2026-11-30T16:22:43.467+00:00');
INSERT INTO "study_votes" VALUES(8,1,1,8,'ce42bafa-9e1f-4465-8f01-ad761dc27d2f','first',1.5,'unproven','{}','2026-11-30T16:22:43.480+00:00');
INSERT INTO "study_votes" VALUES(9,1,2,9,'ff38985c-3f3b-46be-8355-fa6a1d3121a8','second',1.5,'unproven','{}','2026-11-30T16:22:43.527+00:00');
INSERT INTO "study_votes" VALUES(10,1,2,10,'d01093f8-99fc-4a7e-ac2a-d33f951dbd69','second',1.5,'unproven','{}','2026-11-30T16:22:43.541+00:00');
INSERT INTO "study_votes" VALUES(11,1,2,11,'472b6c30-6bc9-40be-ba38-0c46e478ae37','second',1.5,'unproven','{}','2026-11-30T16:22:43.542+00:00');
INSERT INTO "study_votes" VALUES(12,1,2,12,'e67cbbf0-424a-4730-a309-4c72e0c98147','second',1.5,'unproven','{}','2026-11-30T16:22:43.543+00:00');
INSERT INTO "study_votes" VALUES(13,1,2,13,'2d1b64e1-0d51-4f75-91fe-1b466e2058dd','second',1.5,'unproven','{}','2026-11-30T16:22:43.543+00:00');
INSERT INTO "study_votes" VALUES(14,1,2,14,'3d636d15-1aed-4b18-9873-bf85518ed834','second',1.5,'unproven','{}','2026-11-30T16:22:43.553+00:00');
INSERT INTO "study_votes" VALUES(15,1,2,15,'a5aeed5f-b280-45cd-8c9d-5b2625a54ea3','second',1.5,'unproven','{}','2026-11-30T16:22:43.554+00:00');
INSERT INTO "study_votes" VALUES(16,1,2,16,'52602753-818f-49e8-89e1-8d320d239638','second',1.5,'unproven','{}','2026-11-30T16:22:43.555+00:00');
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
CREATE UNIQUE INDEX uq_measurements_cell ON measurements (picture_sha256, codec_id, quality, seed) WHERE superseded_at IS NULL;
CREATE INDEX ix_measurements_codec_id ON measurements (codec_id);
CREATE INDEX ix_measurements_decoded ON measurements (decoded_sha256);
CREATE INDEX ix_matches_codec ON matches (codec_id, target_kind, target);
CREATE INDEX ix_matches_picture_sha256 ON matches (picture_sha256);
CREATE INDEX ix_matches_image_set ON matches (image_set);
CREATE INDEX ix_attempts_cell ON attempts (picture_sha256, codec_id, quality, seed);
CREATE INDEX ix_study_stimuli_study_id ON study_stimuli (study_id);
CREATE INDEX ix_study_sessions_rater_id ON study_sessions (rater_id);
CREATE INDEX ix_study_environments_rater_id ON study_environments (rater_id);
CREATE UNIQUE INDEX uq_timings_cell ON timings (picture_sha256, codec_id, quality, machine_id, threads) WHERE superseded_at IS NULL;
CREATE INDEX ix_timings_codec_id ON timings (codec_id);
CREATE INDEX ix_verifications_measurement_id ON verifications (measurement_id);
CREATE INDEX ix_study_pairs_study ON study_pairs (study_id, kind);
CREATE INDEX ix_study_trials_pair ON study_trials (pair_id);
CREATE INDEX ix_study_trials_waiting ON study_trials (study_id, lease_until) WHERE answered_at IS NULL;
CREATE INDEX ix_study_trials_due ON study_trials (rater_id, position) WHERE answered_at IS NULL;
CREATE INDEX ix_study_proposals_study ON study_proposals (study_id, id);
CREATE INDEX ix_study_votes_rater_id ON study_votes (rater_id);
CREATE INDEX ix_study_votes_study ON study_votes (study_id, id);
COMMIT;
